// Command gitops speaks for Argo CD and Flux: their own Go code, of the versions in go.mod, judges an
// object or syncs a Git repository to a cluster. It listens nowhere and contacts nothing but the
// cluster of KUBECONFIG. It knows nothing of Keyferry's kinds; what it says is checked by tests/it/gitops.
//
//	gitops health                 < object    Argo CD's health of it
//	gitops actions                < object    Argo CD's actions on it, by name, and whether each is enabled
//	gitops act ACTION             < object    the object as the action leaves it
//	gitops kstatus                < object    kstatus of it, as Flux computes it
//	gitops flux EXPRESSIONS       < object    the same by the healthCheckExprs of a Flux Kustomization (JSON)
//	gitops sync [FLAGS] REPOSITORY            syncs what HEAD holds, prunes what it no longer holds
//	gitops diff [FLAGS] REPOSITORY            what differs, object by object
//
// Input and output are JSON.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// verdict is a status and the reason for it.
type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	answer, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(1)
	}
}

func run(args []string) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("no command; the head of main.go lists them")
	}
	command, args := args[0], args[1:]
	switch command {
	case "sync", "diff":
		return cluster(command, args)
	}
	object, err := read(os.Stdin)
	if err != nil {
		return nil, fmt.Errorf("read an object from standard input: %w", err)
	}
	switch {
	case command == "health" && len(args) == 0:
		return health(object)
	case command == "actions" && len(args) == 0:
		return actions(object)
	case command == "act" && len(args) == 1:
		return act(object, args[0])
	case command == "kstatus" && len(args) == 0:
		return kstatus(object)
	case command == "flux" && len(args) == 1:
		return flux(object, args[0])
	}
	return nil, fmt.Errorf("no command %s with %d arguments; the head of main.go lists them", command, len(args))
}

func cluster(command string, args []string) (any, error) {
	var to destination
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.StringVar(&to.app, "app", "app", "the application's `name`, by which its objects are told from others")
	flags.StringVar(&to.namespace, "namespace", "default", "the `namespace` of objects that name none")
	flags.BoolVar(&to.serverSide, "server-side", false, "ServerSideApply=true, and ServerSideDiff")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() != 1 {
		return nil, fmt.Errorf("%s wants one repository, not %d", command, flags.NArg())
	}
	session, err := open(to, flags.Arg(0))
	if err != nil {
		return nil, err
	}
	if command == "sync" {
		return session.sync()
	}
	return session.diff()
}

func read(from io.Reader) (*unstructured.Unstructured, error) {
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(text)
}
