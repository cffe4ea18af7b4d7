package main

import (
	"fmt"
	"os"
	"time"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// trackingAnnotation is how Argo CD knows an application's objects (its default method).
	trackingAnnotation = "argocd.argoproj.io/tracking-id"
	manager            = "argocd-controller"
	// syncWithin bounds a sync whose waves do not become healthy.
	syncWithin = time.Minute
	// lookAgain is how long a round waits for news of the cluster.
	lookAgain = time.Second
)

// destination is where an application goes, and how.
type destination struct {
	app, namespace string
	serverSide     bool
}

// session is one look at a repository and a cluster, of which it keeps a cache like Argo CD's controller.
type session struct {
	destination
	objects  []*unstructured.Unstructured
	revision string
	config   *rest.Config
	cache    cache.ClusterCache
	kubectl  *kube.KubectlCmd
}

func open(to destination, repository string) (*session, error) {
	objects, revision, err := manifests(repository)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // no limit of our own
	s := &session{
		destination: to, objects: objects, revision: revision, config: config,
		kubectl: &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}},
	}
	s.cache = cache.NewClusterCache(config,
		cache.SetNamespaces([]string{to.namespace}),
		cache.SetClusterResources(true),
		cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(object *unstructured.Unstructured, _ bool) (any, bool) {
			// a Secret that has its ExternalSecret's annotation carries the id of another object
			ours := object.GetAnnotations()[trackingAnnotation] == s.trackingID(object)
			return ours, ours
		}))
	if err := s.cache.EnsureSynced(); err != nil {
		return nil, fmt.Errorf("list what is in the cluster: %w", err)
	}
	for _, object := range s.objects {
		namespaced, err := s.cache.IsNamespaced(object.GroupVersionKind().GroupKind())
		if err != nil {
			return nil, err
		}
		if namespaced && object.GetNamespace() == "" {
			object.SetNamespace(s.namespace)
		}
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[trackingAnnotation] = s.trackingID(object)
		object.SetAnnotations(annotations)
	}
	return s, nil
}

func (s *session) trackingID(object *unstructured.Unstructured) string {
	kind := object.GroupVersionKind()
	return fmt.Sprintf("%s:%s/%s:%s/%s", s.app, kind.Group, kind.Kind, object.GetNamespace(), object.GetName())
}

// compare pairs what should be with what is.
func (s *session) compare() (sync.ReconciliationResult, error) {
	targets := make([]*unstructured.Unstructured, 0, len(s.objects))
	for _, object := range s.objects {
		targets = append(targets, object.DeepCopy())
	}
	live, err := s.cache.GetManagedLiveObjs(targets, func(resource *cache.Resource) bool {
		ours, _ := resource.Info.(bool)
		return ours
	})
	if err != nil {
		return sync.ReconciliationResult{}, err
	}
	return sync.Reconcile(targets, live, s.namespace, s.cache), nil
}

// outcome is how a sync ended.
type outcome struct {
	Revision string `json:"revision"`
	Phase    string `json:"phase"`
	Message  string `json:"message"`
	Results  []step `json:"results"`
}

// step is what became of one object.
type step struct {
	Object  string `json:"object"`
	Status  string `json:"status"`
	Phase   string `json:"phase"`
	Message string `json:"message"`
}

// sync goes through the waves. Each round compares anew and goes on from the last round's state, as
// Argo CD's controller does: a wave is waited for by the health of what is live then.
func (s *session) sync() (outcome, error) {
	news := make(chan struct{}, 1)
	unsubscribe := s.cache.OnResourceUpdated(func(_, _ *cache.Resource, _ map[kube.ResourceKey]*cache.Resource) {
		select {
		case news <- struct{}{}:
		default:
		}
	})
	defer unsubscribe()
	started := metav1.Now()
	phase, message, results := common.OperationRunning, "", []common.ResourceSyncResult(nil)
	for {
		compared, err := s.compare()
		if err != nil {
			return outcome{}, err
		}
		round, cleanup, err := sync.NewSyncContext(s.revision, compared, s.config, s.config, s.kubectl, s.namespace,
			sync.WithLogr(logr.Discard()),
			sync.WithHealthOverride(builtIn),
			sync.WithOperationSettings(false, true, false, false),
			sync.WithInitialState(phase, message, results, started),
			sync.WithServerSideApply(s.serverSide),
			sync.WithServerSideApplyManager(manager))
		if err != nil {
			return outcome{}, err
		}
		round.Sync()
		phase, message, results = round.GetState()
		cleanup()
		if phase.Completed() {
			return s.told(phase, message, results), nil
		}
		if time.Since(started.Time) > syncWithin {
			return outcome{}, fmt.Errorf("not synced within %s: %s", syncWithin, message)
		}
		select {
		case <-news:
		case <-time.After(lookAgain):
		}
	}
}

func (s *session) told(phase common.OperationPhase, message string, results []common.ResourceSyncResult) outcome {
	end := outcome{Revision: s.revision, Phase: string(phase), Message: message, Results: []step{}}
	for _, result := range results {
		end.Results = append(end.Results, step{
			Object:  result.ResourceKey.Kind + "/" + result.ResourceKey.Name,
			Status:  string(result.Status),
			Phase:   string(result.HookPhase),
			Message: result.Message,
		})
	}
	return end
}

// difference is what Argo CD sees between Git and the cluster for one object.
type difference struct {
	Object   string `json:"object"`
	Modified bool   `json:"modified"`
	// Live and Predicted are what is and what a sync would make of it, JSON; null or empty where there is none.
	Live      string `json:"live"`
	Predicted string `json:"predicted"`
}

func (s *session) diff() ([]difference, error) {
	compared, err := s.compare()
	if err != nil {
		return nil, err
	}
	operations, cleanup, err := s.kubectl.ManageServerSideDiffDryRuns(s.config)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	found, err := diff.DiffArray(compared.Target, compared.Live,
		diff.WithLogr(logr.Discard()),
		diff.WithServerSideDiff(s.serverSide),
		diff.WithIgnoreMutationWebhook(true),
		diff.WithGVKParser(s.cache.GetGVKParser()),
		diff.WithManager(manager),
		diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(operations)))
	if err != nil {
		return nil, err
	}
	differences := make([]difference, 0, len(found.Diffs))
	for index, one := range found.Diffs {
		object, live := compared.Target[index], compared.Live[index]
		isInBoth := object != nil && live != nil
		if object == nil {
			object = live
		}
		differences = append(differences, difference{
			Object:    object.GetKind() + "/" + object.GetName(),
			Modified:  one.Modified || !isInBoth,
			Live:      string(one.NormalizedLive),
			Predicted: string(one.PredictedLive),
		})
	}
	return differences, nil
}
