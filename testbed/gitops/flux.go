package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func kstatus(object *unstructured.Unstructured) (verdict, error) {
	result, err := status.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	return verdict{result.Status.String(), result.Message}, nil
}

// flux is what kustomize-controller sees while it waits: an expression that cannot be evaluated is Unknown.
func flux(object *unstructured.Unstructured, healthCheckExprs string) (verdict, error) {
	var checks []kustomize.CustomHealthCheck
	if err := json.Unmarshal([]byte(healthCheckExprs), &checks); err != nil {
		return verdict{}, fmt.Errorf("read healthCheckExprs: %w", err)
	}
	reader, err := cel.NewStatusReader(checks)
	if err != nil {
		return verdict{}, err
	}
	found, err := reader(nil).ReadStatusForObject(context.Background(), nil, object)
	if err != nil {
		return verdict{}, err
	}
	message := found.Message
	if found.Error != nil {
		message = found.Error.Error()
	}
	return verdict{found.Status.String(), message}, nil
}
