package sim

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Build makes the simulator called name with open, from a struct of its own options. Size, Seed, Now and, if the struct has it, Rendered are set from
// o. Every other exported field is an option. Its name is the field's with dashes (NoIdOrder is no-id-order) or the one in its tag sim; "-" means
// that the field is not an option. Fields of a nested struct are options too. A list is separated by commas. A map is a list of NAME=NUMBER, with
// numbers of at least 1. An error names the invalid option and those that exist.
func Build[O any, S Simulator](name string, o Options, open func(O) (S, error)) (Simulator, error) {
	var own O
	options := map[string]reflect.Value{}
	value := reflect.ValueOf(&own).Elem()
	collect(value, options)
	for option, text := range o.Set {
		err := fmt.Errorf("there is no such option")
		if field, ok := options[option]; ok {
			err = set(field, text)
		}
		if err != nil {
			return nil, fmt.Errorf("setting %s of %s, which knows %v: %w", option, name, slices.Sorted(maps.Keys(options)), err)
		}
	}
	for _, common := range []string{"Size", "Seed", "Now", "Rendered"} {
		if field := value.FieldByName(common); field.IsValid() {
			field.Set(reflect.ValueOf(o).FieldByName(common))
		}
	}
	s, err := open(own)
	if err != nil {
		return nil, err // not s, because a nil pointer in an interface is not nil
	}
	return s, nil
}

// collect finds the options in a struct.
func collect(of reflect.Value, options map[string]reflect.Value) {
	word := regexp.MustCompile(`[A-Z]+[a-z]*|[0-9]+|[a-z]+`)
	for i := range of.NumField() {
		field, value := of.Type().Field(i), of.Field(i)
		name := field.Tag.Get("sim")
		switch {
		case name == "-", slices.Contains([]string{"Size", "Seed", "Now", "Newest", "Rendered"}, field.Name):
		case field.Type.Kind() == reflect.Struct:
			collect(value, options)
		case name == "":
			options[strings.ToLower(strings.Join(word.FindAllString(field.Name, -1), "-"))] = value
		default:
			options[name] = value
		}
	}
}

// set sets a field to the value of a text.
func set(field reflect.Value, text string) error {
	var value any
	var err error
	switch field.Interface().(type) {
	case time.Duration:
		value, err = time.ParseDuration(text)
	case map[string]int:
		value, err = caps(text)
	default:
		switch field.Kind() {
		case reflect.Bool:
			value, err = strconv.ParseBool(text)
		case reflect.Int:
			value, err = strconv.Atoi(text)
		case reflect.Float64:
			value, err = strconv.ParseFloat(text, 64)
		case reflect.Slice:
			for part := range strings.SplitSeq(text, ",") {
				field.Set(reflect.Append(field, reflect.ValueOf(part).Convert(field.Type().Elem())))
			}
			return nil
		default:
			value = text
		}
	}
	if err == nil {
		field.Set(reflect.ValueOf(value).Convert(field.Type()))
	}
	return err
}

// caps parses a list of NAME=NUMBER, separated by commas.
func caps(text string) (map[string]int, error) {
	all := map[string]int{}
	for pair := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not NAME=NUMBER", pair)
		}
		all[name] = n
	}
	return all, nil
}
