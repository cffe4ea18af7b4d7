package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"text/template"
	"unicode/utf8"
)

// One case of crates/gotemplate/tests/go-cases.json.
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

// cases reads cases and writes them anew with what comes out now.
func cases() error {
	var cases []*testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return err
	}
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, c := range cases {
		c.Expect, c.ErrorText = nil, ""
		text, err := c.run()
		if err != nil {
			c.ErrorText = err.Error()
		} else if c.Expect = &text; !utf8.ValidString(text) {
			return fmt.Errorf("%s: output is not UTF-8", c.Name)
		}
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(c); err != nil {
			return err
		}
		if i < len(cases)-1 {
			out.Truncate(out.Len() - 1)
			out.WriteString(",\n")
		}
	}
	out.WriteString("]\n")
	_, err := os.Stdout.Write(out.Bytes())
	return err
}

func (c *testCase) run() (string, error) {
	option := c.MissingKey
	if option == "" {
		option = "error"
	}
	t := template.New("case").Option("missingkey=" + option)
	if !c.Builtins {
		t = t.Funcs(functions())
	}
	if len(c.Delims) == 2 {
		t = t.Delims(c.Delims[0], c.Delims[1])
	}
	t, err := t.Parse(c.Template)
	if err != nil {
		return "", err
	}
	data := c.Data
	if data == nil {
		data = map[string]string{}
	}
	var out bytes.Buffer
	err = t.Execute(&out, data)
	return out.String(), err
}
