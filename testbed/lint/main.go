// The Dockerfile checks of BuildKit (`docker build --check`) without a daemon: `dockerfile FILE...` prints what they
// find and ends with 1 if that is anything. It pulls nothing: every base image is taken for an empty one of the
// platform asked for, so what depends on a base image's configuration is not checked.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
)

// emptyImage is what every base image is taken for.
type emptyImage struct{}

func (emptyImage) ResolveImageConfig(
	_ context.Context, reference string, options sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	system, architecture := "linux", "amd64"
	if image := options.ImageOpt; image != nil && image.Platform != nil {
		system, architecture = image.Platform.OS, image.Platform.Architecture
	}
	config := fmt.Appendf(nil, `{"os":%q,"architecture":%q,"config":{},"rootfs":{"type":"layers"}}`, system, architecture)
	return reference, digest.FromBytes(config), config, nil
}

// check prints the findings about a file and tells how many there are.
func check(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	state := llb.Scratch()
	definition, err := state.Marshal(context.Background())
	if err != nil {
		return 0, err
	}
	source := llb.NewSourceMap(&state, path, "Dockerfile", text)
	source.Definition = definition
	capabilities := pb.Caps.CapSet(pb.Caps.All())
	options := dockerfile2llb.ConvertOpt{
		MetaResolver: emptyImage{},
		LLBCaps:      &capabilities,
		SourceMap:    source,
	}
	results, err := dockerfile2llb.DockerfileLint(context.Background(), text, options)
	if err != nil {
		return 0, err
	}
	for _, warning := range results.Warnings {
		line := int32(0)
		if ranges := warning.Location.GetRanges(); len(ranges) > 0 {
			line = ranges[0].GetStart().GetLine()
		}
		fmt.Printf("%s:%d: %s: %s (%s)\n", path, line, warning.RuleName, warning.Detail, warning.URL)
	}
	// with `check=error=true` findings are an error too
	if results.Error != nil {
		return 0, fmt.Errorf("%s: %s", path, results.Error.Message)
	}
	return len(results.Warnings), nil
}

func main() {
	findings := 0
	for _, path := range os.Args[1:] {
		found, err := check(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(2)
		}
		findings += found
	}
	if findings > 0 {
		os.Exit(1)
	}
}
