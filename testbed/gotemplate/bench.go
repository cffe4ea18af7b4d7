package main

import (
	"bytes"
	"encoding/json"
	"os"
	"text/template"
	"time"
)

// A template of the benchmark.
type benchCase struct {
	Name     string            `json:"name"`
	Template string            `json:"template"`
	Data     map[string]string `json:"data"`
}

// What one template took, and what it rendered.
type measured struct {
	Name string `json:"name"`
	// the fastest round, nanoseconds for one parse and execution
	Nanoseconds float64 `json:"ns"`
	Output      string  `json:"output"`
}

const (
	benchRounds = 7
	benchRound  = 100 * time.Millisecond
)

// bench measures each template as External Secrets Operator uses it: parsed anew for each rendering,
// missingkey=error. The functions are registered once, outside of what is measured.
func bench() error {
	var cases []benchCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return err
	}
	funcs := functions()
	funcs["toYaml"] = func(value any) string {
		text, _ := toYAML(value)
		return text
	}
	base := template.New("base").Option("missingkey=error").Funcs(funcs)
	results := []measured{}
	for _, c := range cases {
		m := measured{Name: c.Name}
		for range benchRounds {
			start, count := time.Now(), 0
			for time.Since(start) < benchRound {
				output, err := c.render(base)
				if err != nil {
					return err
				}
				m.Output = output
				count++
			}
			each := float64(time.Since(start).Nanoseconds()) / float64(count)
			if m.Nanoseconds == 0 || each < m.Nanoseconds {
				m.Nanoseconds = each
			}
		}
		results = append(results, m)
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

func (c *benchCase) render(base *template.Template) (string, error) {
	// a name of its own shares the functions of base and copies none
	t, err := base.New(c.Name).Parse(c.Template)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = t.Execute(&out, c.Data)
	return out.String(), err
}
