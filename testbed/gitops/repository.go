package main

import (
	"fmt"
	"os/exec"
	"path"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// manifests are the objects in the YAML files that HEAD of a local repository holds, and HEAD's commit.
// What is not committed does not count.
func manifests(repository string) (objects []*unstructured.Unstructured, revision string, err error) {
	revision, err = git(repository, "rev-parse", "HEAD")
	if err != nil {
		return nil, "", err
	}
	revision = strings.TrimSpace(revision)
	files, err := git(repository, "ls-tree", "-r", "--name-only", revision)
	if err != nil {
		return nil, "", err
	}
	for _, file := range strings.Fields(files) {
		if extension := path.Ext(file); extension != ".yaml" && extension != ".yml" {
			continue
		}
		text, err := git(repository, "show", revision+":"+file)
		if err != nil {
			return nil, "", err
		}
		found, err := kube.SplitYAML([]byte(text))
		if err != nil {
			return nil, "", fmt.Errorf("parse %s: %w", file, err)
		}
		objects = append(objects, found...)
	}
	return objects, revision, nil
}

func git(repository string, args ...string) (string, error) {
	output, err := exec.Command("git", append([]string{"-C", repository}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return string(output), nil
}
