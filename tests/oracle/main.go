// Writes secret-cases.json: what Go's library makes of keys, values and data, for the functions of
// src/secret that have to agree with it bit for bit. `go run main.go > secret-cases.json`
package main

import (
	"crypto/sha3"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"unicode"
)

var random = rand.New(rand.NewPCG(1, 2))

func pick(from ...string) string { return from[random.IntN(len(from))] }

// some parts in a row
func text(most int, parts ...string) string {
	var made strings.Builder
	for range random.IntN(most + 1) {
		made.WriteString(pick(parts...))
	}
	return made.String()
}

func bytes(most int) []byte {
	made := make([]byte, random.IntN(most+1))
	for i := range made {
		made[i] = byte(random.IntN(256))
	}
	return made
}

func hash(value any) string {
	sum := sha3.Sum224(fmt.Appendf(nil, "%+v", value))
	return hex.EncodeToString(sum[:])
}

type dataHash struct {
	Data map[string][]byte `json:"data"`
	Hash string            `json:"hash"`
}

// the struct whose rendering is hashed
type metadata struct {
	annotations map[string]string
	labels      map[string]string
}

type metadataHash struct {
	Annotations map[string]string `json:"annotations"`
	Labels      map[string]string `json:"labels"`
	Hash        string            `json:"hash"`
}

type decoding struct {
	Strategy string `json:"strategy"`
	Value    []byte `json:"value"`
	Decoded  []byte `json:"decoded"` // null: refused
}

type replacement struct {
	Source string `json:"source"`
	Target string `json:"target"`
	Key    string `json:"key"`
	Result string `json:"result"`
}

func hashes() (data []dataHash, meta []metadataHash) {
	for range 60 {
		made := map[string][]byte{}
		for range random.IntN(5) {
			made[text(6, "a", "b", "-", ".", "_", "Z", "é", " ", ":")] = bytes(40)
		}
		data = append(data, dataHash{made, hash(made)})
		pairs := func() map[string]string {
			made := map[string]string{}
			for range random.IntN(4) {
				made[text(4, "a", "b/", ".", "é")] = text(6, "x", " ", ":", "]", "\n", "\U0001f600")
			}
			return made
		}
		of := metadata{pairs(), pairs()}
		meta = append(meta, metadataHash{of.annotations, of.labels, hash(of)})
	}
	return
}

func decode(encoding *base64.Encoding, value []byte) []byte {
	decoded, err := encoding.DecodeString(string(value))
	if err != nil {
		return nil
	}
	return decoded
}

func decodings() (made []decoding) {
	for range 150 {
		value := []byte(base64.StdEncoding.EncodeToString(bytes(9)))
		if random.IntN(2) == 0 {
			value = []byte(base64.URLEncoding.EncodeToString(bytes(9)))
		}
		if random.IntN(3) == 0 && len(value) > 0 { // spoilt
			at := random.IntN(len(value))
			spoil := pick("=", "\n", "\r", " ", "-", "/", "A", "B", "\x00", "é", "==")
			value = append(append(append([]byte{}, value[:at]...), spoil...), value[at+random.IntN(2):]...)
		}
		standard := decode(base64.StdEncoding, value)
		url := decode(base64.URLEncoding, value)
		auto := standard
		if auto == nil {
			auto = url
		}
		if auto == nil {
			auto = value
		}
		made = append(made, decoding{"Base64", value, standard}, decoding{"Base64URL", value, url}, decoding{"Auto", value, auto})
	}
	return
}

func replacements() (made []replacement) {
	for len(made) < 300 {
		source := text(5, "a", "b", "(a)", "(?P<n>b+)", ".", "[a-c]", "^", "$", "*", "+?", "|", `\d`, `\w+`, "(?i)", "-", "{2}", `\b`, "(?:x|y)?", "é", `\pL`)
		compiled, err := regexp.Compile(source)
		if err != nil {
			continue
		}
		target := text(4, "$1", "${1}", "$n", "${n}", "$$", "$1x", "$", "${", "x", "-", "$0", "${9}", "é")
		key := text(8, "a", "b", "A", "-", "1", ".", "é", "x", "\n", "_")
		made = append(made, replacement{source, target, key, compiled.ReplaceAllString(key, target)})
	}
	return
}

// ranges of code points, both ends inclusive
func ranges(holds func(rune) bool) (made [][2]rune) {
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		if !(r <= unicode.MaxRune && holds(r)) {
			continue
		}
		if last := len(made) - 1; last >= 0 && made[last][1] == r-1 {
			made[last][1] = r
		} else {
			made = append(made, [2]rune{r, r})
		}
	}
	return
}

// not unicode.C, which holds what is not assigned as well
func isAssigned(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

func isKept(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

func main() {
	data, meta := hashes()
	cases := map[string]any{
		"data_hashes":     data,
		"metadata_hashes": meta,
		"decodings":       decodings(),
		"replacements":    replacements(),
		"kept":            ranges(isKept),
		"others":          ranges(func(r rune) bool { return isAssigned(r) && !isKept(r) }),
	}
	if err := json.NewEncoder(os.Stdout).Encode(cases); err != nil {
		panic(err)
	}
}
