// Writes the expectations of go-cases.yaml: reads cases (JSON) from standard input, executes each
// with Go's text/template and sprig, and writes them with what came out (JSON, which is YAML).
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"text/template"
	"unicode/utf8"

	"github.com/Masterminds/sprig/v3"
)

type testCase struct {
	Name       string            `json:"name"`
	Data       map[string]string `json:"data,omitempty"`
	MissingKey string            `json:"missing_key,omitempty"`
	Delims     []string          `json:"delims,omitempty"`
	Builtins   bool              `json:"builtins,omitempty"` // no sprig
	Template   string            `json:"template"`
	Expect     *string           `json:"expect,omitempty"`
	ErrorText  string            `json:"error_text,omitempty"`
}

func (c *testCase) run() error {
	funcs := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(funcs, name)
	}
	if c.Builtins {
		funcs = nil
	}
	option := c.MissingKey
	if option == "" {
		option = "error"
	}
	t := template.New("case").Option("missingkey=" + option).Funcs(funcs)
	if len(c.Delims) == 2 {
		t = t.Delims(c.Delims[0], c.Delims[1])
	}
	t, err := t.Parse(c.Template)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	data := c.Data
	if data == nil {
		data = map[string]string{}
	}
	if err := t.Execute(&out, data); err != nil {
		return err
	}
	if !utf8.Valid(out.Bytes()) {
		panic(c.Name + ": output is not UTF-8")
	}
	text := out.String()
	c.Expect = &text
	return nil
}

func main() {
	var cases []*testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("[\n")
	for i, c := range cases {
		if err := c.run(); err != nil {
			c.ErrorText = err.Error()
		}
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(c); err != nil {
			panic(err)
		}
		text := bytes.TrimRight(line.Bytes(), "\n")
		os.Stdout.Write(text)
		if i < len(cases)-1 {
			os.Stdout.WriteString(",")
		}
		os.Stdout.WriteString("\n")
	}
	os.Stdout.WriteString("]\n")
}
