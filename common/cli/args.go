package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/imob-data/airbyte-connectors/common/fault"
)

// command is one command of a connector.
type command struct {
	name, usage string
	files       []file // the flags that it takes
	run         func(context.Context, *session) error
}

// file is a flag that takes the path of a file.
type file struct {
	flag, usage string
	required    bool
}

// invocation is what the arguments ask for: a command, or else a text to print.
type invocation struct {
	command *command
	files   map[string]string // paths by flag
	debug   bool
	text    string
}

// parseArgs parses args, the arguments after the program's name. An error is a [fault.Config] error that says in one sentence what to correct. It
// names flags and quotes nothing else, because a configuration pasted into the command line may end up anywhere in it.
func parseArgs(self about, commands []command, args []string) (invocation, error) {
	var asked invocation
	var text bytes.Buffer
	names := make([]string, len(commands))
	app := &cli.App{
		Name: self.name, HelpName: self.name, Version: self.version,
		Usage:     "an Airbyte connector",
		UsageText: self.name + " COMMAND [FLAG…]",
		Writer:    &text, ErrWriter: io.Discard, Reader: strings.NewReader(""),
		ExitErrHandler: func(*cli.Context, error) {}, // the library would end the process
		// The library's own help and version flags are variables that all runs would share.
		HideHelp: true, HideVersion: true,
		Flags: []cli.Flag{
			helpFlag(),
			&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", DisableDefaultText: true},
		},
		OnUsageError: func(_ *cli.Context, err error, _ bool) error {
			return usageFault("", err)
		},
	}
	for i, c := range commands {
		names[i] = c.name
		flags := []cli.Flag{}
		for _, f := range c.files {
			flags = append(flags, &cli.StringFlag{Name: f.flag, Usage: f.usage})
		}
		app.Commands = append(app.Commands, &cli.Command{
			Name: c.name, Usage: c.usage, HideHelp: true,
			Flags: append(flags, &cli.BoolFlag{Name: "debug", Usage: "log more", DisableDefaultText: true}, helpFlag()),
			OnUsageError: func(_ *cli.Context, err error, _ bool) error {
				return usageFault(c.name, err)
			},
			Action: func(given *cli.Context) (err error) {
				asked, err = c.invoked(given)
				return err
			},
		})
	}
	app.Action = func(given *cli.Context) error {
		all := strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
		switch {
		case given.NArg() > 0:
			return fault.Configf("There is no such command; the commands are %s.", all)
		case given.Bool("version"):
			fmt.Fprintf(&text, "%s %s\n", self.name, self.version)
			return nil
		default:
			return fault.Configf("No command was given; the commands are %s.", all)
		}
	}
	if err := app.Run(append([]string{self.name}, args...)); err != nil {
		if fault.Of(err).Kind != fault.Config {
			err = usageFault("", err)
		}
		return invocation{}, err
	}
	asked.text = text.String()
	return asked, nil
}

func helpFlag() cli.Flag {
	return &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "print this text", DisableDefaultText: true}
}

// invoked returns c with the flags that were given.
func (c *command) invoked(given *cli.Context) (invocation, error) {
	if given.NArg() > 0 {
		return invocation{}, fault.Configf("The command %s takes nothing but flags, each followed by one file.", c.name)
	}
	asked := invocation{command: c, files: map[string]string{}, debug: given.Bool("debug")}
	var missing []string
	for _, f := range c.files {
		path := given.String(f.flag)
		switch {
		case path == "" && given.IsSet(f.flag):
			return invocation{}, fault.Configf("The flag --%s of %s needs the path of a file after it.", f.flag, c.name)
		case path == "" && f.required:
			missing = append(missing, "--"+f.flag+" FILE")
		case path != "":
			asked.files[f.flag] = path
		}
	}
	if len(missing) > 0 {
		return invocation{}, fault.Configf("The command %s needs %s.", c.name, strings.Join(missing, " and "))
	}
	return asked, nil
}

// usageFault puts an error of the flag library into a sentence. Only the texts of its errors tell them apart.
func usageFault(command string, err error) error {
	at := "before the command"
	if command != "" {
		at = "of " + command
	}
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return fault.Configf("There is no flag --%s %s.", name, at)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return fault.Configf("The flag --%s %s needs the path of a file after it.", name, at)
	}
	return fault.Configf("The flags %s cannot be understood; --help shows what they should be.", at)
}
