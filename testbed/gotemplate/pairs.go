package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/template"
	"time"
)

// A template and its data.
type pair struct {
	Template   []byte          `json:"t"`
	MissingKey string          `json:"k"`
	Data       json.RawMessage `json:"d"`
}

// What came of it.
type result struct {
	Output []byte  `json:"o,omitempty"`
	Error  *string `json:"e,omitempty"`
}

const (
	patience  = time.Minute
	maxOutput = 16 << 20
)

// output refuses to become huge.
type output struct{ bytes.Buffer }

func (o *output) Write(p []byte) (int, error) {
	if o.Len()+len(p) > maxOutput {
		return 0, errors.New("too much output")
	}
	return o.Buffer.Write(p)
}

// pairs answers each line with a line, until there are no more.
func pairs() error {
	funcs := functions()
	funcs["now"] = func() time.Time { return time.Unix(1_700_000_000, 0) }
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out.Flush()
		} else if err != nil {
			return err
		}
		var p pair
		if err := json.Unmarshal(line, &p); err != nil {
			return err
		}
		var r result
		// nothing can end a template that Go computes for ever
		watchdog := time.AfterFunc(patience, func() {
			fmt.Fprintf(os.Stderr, "gotemplate: more than %v for %q\n", patience, p.Template)
			os.Exit(1)
		})
		if r.Output, err = p.run(funcs); err != nil {
			text := err.Error()
			r = result{Error: &text}
		}
		watchdog.Stop()
		answer, err := json.Marshal(r)
		if err != nil {
			return err
		}
		out.Write(append(answer, '\n'))
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func (p *pair) run(funcs template.FuncMap) ([]byte, error) {
	data, err := decode(p.Data)
	if err != nil {
		return nil, err
	}
	t, err := template.New("case").Option("missingkey=" + p.MissingKey).Funcs(funcs).Parse(string(p.Template))
	if err != nil {
		return nil, err
	}
	var out output
	err = t.Execute(&out, data)
	return out.Bytes(), err
}

// decode makes a value of its JSON: nil and bools are themselves, all else is an object whose only
// key is a letter for the type.
func decode(raw json.RawMessage) (any, error) {
	var plain *bool
	if json.Unmarshal(raw, &plain) == nil {
		if plain == nil {
			return nil, nil
		}
		return *plain, nil
	}
	var tagged map[string]json.RawMessage
	if err := json.Unmarshal(raw, &tagged); err != nil {
		return nil, err
	}
	for tag, raw := range tagged {
		switch tag {
		case "s":
			text, err := parse[[]byte](raw)
			return string(text), err
		case "l":
			return items(raw)
		case "S":
			texts, err := parse[[][]byte](raw)
			list := make([]string, len(texts))
			for i, text := range texts {
				list[i] = string(text)
			}
			return list, err
		case "n":
			return parse[[]int](raw)
		case "m", "M":
			return entries(raw, tag == "M")
		case "q":
			list, err := items(raw)
			return sequence(func(yield func(any) bool) { each(list, yield) }), err
		case "Q":
			list, err := items(raw)
			return sequence2(func(yield func(any, any) bool) {
				for i := 0; i+1 < len(list) && yield(list[i], list[i+1]); i += 2 {
				}
			}), err
		default:
			text, err := parse[string](raw)
			if err != nil {
				return nil, err
			}
			return number(tag, text)
		}
	}
	return nil, errors.New("value without a type")
}

// Iterator functions. They print as a word, not as an address.
type (
	sequence  func(yield func(any) bool)
	sequence2 func(yield func(any, any) bool)
)

func (sequence) String() string  { return "sequence" }
func (sequence2) String() string { return "sequence" }

func parse[T any](raw json.RawMessage) (T, error) {
	var value T
	return value, json.Unmarshal(raw, &value)
}

func each(list []any, yield func(any) bool) {
	for _, item := range list {
		if !yield(item) {
			return
		}
	}
}

func items(raw json.RawMessage) ([]any, error) {
	raws, err := parse[[]json.RawMessage](raw)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(raws))
	for i, raw := range raws {
		if list[i], err = decode(raw); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// entries makes a map of a list in which keys and values alternate.
func entries(raw json.RawMessage, texts bool) (any, error) {
	list, err := items(raw)
	if err != nil {
		return nil, err
	}
	flat, dict := map[string]string{}, map[string]any{}
	for i := 0; i+1 < len(list); i += 2 {
		key, _ := list[i].(string)
		if texts {
			flat[key], _ = list[i+1].(string)
		} else {
			dict[key] = list[i+1]
		}
	}
	if texts {
		return flat, nil
	}
	return dict, nil
}

func number(tag, text string) (any, error) {
	switch tag {
	case "i":
		return strconv.Atoi(text)
	case "I":
		return strconv.ParseInt(text, 10, 64)
	case "u":
		n, err := strconv.ParseUint(text, 10, 8)
		return uint8(n), err
	case "U":
		return strconv.ParseUint(text, 10, 64)
	case "f":
		return strconv.ParseFloat(text, 64)
	}
	return nil, fmt.Errorf("no type %q", tag)
}
