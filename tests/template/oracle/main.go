// Writes what sigs.k8s.io/yaml makes of YAML texts: the expectations of yaml-cases.json.
//
//	jq '[.[].text]' ../yaml-cases.json | go run . | jq -c '.[]'
//
// Left out: "a: [a:]", which libyaml-safer refuses, and U+2028 at the end of a text, which it would
// write with blanks.
package main

import (
	"encoding/json"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

type outcome struct {
	Text  string             `json:"text"`
	Flat  *map[string]string `json:"flat"`
	Value json.RawMessage    `json:"value"`
	YAML  *string            `json:"yaml"`
}

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
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
			if out, err := yaml.Marshal(value); err == nil {
				s := strings.TrimSuffix(string(out), "\n")
				o.YAML = &s
			}
		}
		outcomes = append(outcomes, o)
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	enc.Encode(outcomes)
}
