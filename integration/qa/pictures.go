package qa

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/imob-data/airbyte-connectors/integration/form"
)

// sums is the file that says of which forms the pictures in docs/forms are.
const sums = "docs/forms/sums.txt"

// pictures finds pictures of forms that are not drawn from the specifications of today.
func pictures(r Repository) (found []Finding, err error) {
	data, err := fs.ReadFile(r.Files, sums)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		sum, connector, _ := strings.Cut(line, " ")
		specification, err := fs.ReadFile(r.Files, "specs/"+connector+"/spec.json")
		if err != nil {
			found = append(found, Finding{sums, i + 1, fmt.Sprintf("there is no specification of %s; make forms draws those there are", connector)})
			continue
		}
		today, err := form.Sum(connector, specification)
		if err != nil {
			return nil, err
		}
		if today != sum {
			found = append(found, Finding{sums, i + 1, fmt.Sprintf("the form of %s is another one by now; make forms draws it", connector)})
		}
	}
	return found, nil
}
