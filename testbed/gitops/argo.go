package main

import (
	"fmt"

	enginehealth "github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// builtIn are the customizations that Argo CD ships, without those of a user.
var builtIn = lua.ResourceHealthOverrides{}

func health(object *unstructured.Unstructured) (verdict, error) {
	found, err := enginehealth.GetResourceHealth(object, builtIn)
	if err != nil {
		return verdict{}, err
	}
	if found == nil {
		return verdict{Status: "None", Message: "Argo CD has no health check for this kind"}, nil
	}
	return verdict{string(found.Status), found.Message}, nil
}

func actions(object *unstructured.Unstructured) (map[string]bool, error) {
	scripts, err := lua.VM{}.GetResourceActionDiscovery(object)
	if err != nil {
		return nil, err
	}
	found, err := lua.VM{}.ExecuteResourceActionDiscovery(object, scripts)
	if err != nil {
		return nil, err
	}
	enabled := map[string]bool{}
	for _, action := range found {
		enabled[action.Name] = !action.Disabled
	}
	return enabled, nil
}

func act(object *unstructured.Unstructured, name string) (*unstructured.Unstructured, error) {
	action, err := lua.VM{}.GetResourceAction(object, name)
	if err != nil {
		return nil, err
	}
	impacted, err := lua.VM{}.ExecuteResourceAction(object, action.ActionLua, nil)
	if err != nil {
		return nil, err
	}
	if len(impacted) != 1 || impacted[0].K8SOperation != lua.PatchOperation {
		return nil, fmt.Errorf("action %s does something else than patch one object", name)
	}
	return impacted[0].UnstructuredObj, nil
}
