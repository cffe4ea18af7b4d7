// Command gotemplate tells what Go makes of templates: text/template with sprig v3, and sigs.k8s.io/yaml.
// The Rust side of the repository is held to its answers.
//
//	gotemplate cases < go-cases.json    the same cases with what Go makes of them
//	gotemplate pairs                    one template and its data a line in, one outcome a line out
//	gotemplate bench < templates.json   how long parsing and executing takes
//	gotemplate yaml < texts.json        what sigs.k8s.io/yaml makes of texts
package main

import (
	"fmt"
	"os"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

func main() {
	// local time is UTC in Keyferry
	time.Local = time.UTC
	commands := map[string]func() error{"cases": cases, "pairs": pairs, "bench": bench, "yaml": yamls}
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	command, known := commands[name]
	if !known {
		fmt.Fprintln(os.Stderr, "usage: gotemplate cases|pairs|bench|yaml")
		os.Exit(2)
	}
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "gotemplate:", err)
		os.Exit(1)
	}
}

// sprig's functions without those that External Secrets Operator takes away.
func functions() template.FuncMap {
	funcs := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(funcs, name)
	}
	return funcs
}
