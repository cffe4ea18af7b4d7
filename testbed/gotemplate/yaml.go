package main

import (
	"encoding/json"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

// What sigs.k8s.io/yaml makes of one text: an item of tests/template/yaml-cases.json.
type outcome struct {
	Text  string             `json:"text"`
	Flat  *map[string]string `json:"flat"`
	Value json.RawMessage    `json:"value"`
	YAML  *string            `json:"yaml"`
}

// yamls reads texts and writes their outcomes.
//
//	jq '[.[].text]' yaml-cases.json | gotemplate yaml | jq -c '.[]'
//
// The cases leave out "a: [a:]", which libyaml-safer refuses, and U+2028 at the end of a text, which it
// would write with blanks.
func yamls() error {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		return err
	}
	var outcomes []outcome
	for _, text := range texts {
		o := outcome{Text: text}
		flat := map[string]string{}
		if yaml.Unmarshal([]byte(text), &flat) == nil {
			if flat == nil {
				flat = map[string]string{}
			}
			o.Flat = &flat
		}
		var value any
		if yaml.Unmarshal([]byte(text), &value) == nil {
			o.Value, _ = json.Marshal(value)
			if out, err := toYAML(value); err == nil {
				o.YAML = &out
			}
		}
		outcomes = append(outcomes, o)
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(outcomes)
}

func toYAML(value any) (string, error) {
	out, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(out), "\n"), err
}
