{{/* The chart's name, or nameOverride. */}}
{{- define "keyferry.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name where it holds the chart's, else both. */}}
{{- define "keyferry.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := include "keyferry.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The full name, cut so that the suffix has room. Takes [context, suffix]. */}}
{{- define "keyferry.component" -}}
{{- $suffix := index . 1 }}
{{- $room := sub 62 (len $suffix) | int }}
{{- printf "%s-%s" (include "keyferry.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix }}
{{- end }}

{{- define "keyferry.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* Where the operator's rights end: empty is the whole cluster. */}}
{{- define "keyferry.scope" -}}
{{- if or .Values.scopedNamespace .Values.scopedRBAC }}
{{- default (include "keyferry.namespace" .) .Values.scopedNamespace }}
{{- end }}
{{- end }}

{{- define "keyferry.selectorLabels" -}}
app.kubernetes.io/name: {{ include "keyferry.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "keyferry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "keyferry.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "keyferry.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "keyferry.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "keyferry.image" -}}
{{- printf "%s:%s" (default .Values.image.repository .Values.global.repository) (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}

{{/* Whether ClusterSecretStores are served: "true" or nothing. */}}
{{- define "keyferry.clusterStores" -}}
{{- if and .Values.processClusterStore (not .Values.scopedRBAC) }}true{{ end }}
{{- end }}

{{/* The flags: what values say, and over it extraArgs. */}}
{{- define "keyferry.args" -}}
{{- $flags := dict
  "concurrent" .Values.concurrent
  "loglevel" .Values.log.level
  "metrics-addr" (printf ":%v" .Values.metrics.listen.port)
  "live-addr" (printf "%s:%v" .Values.livenessProbe.spec.address .Values.livenessProbe.spec.port) }}
{{- with .Values.controllerClass }}{{ $_ := set $flags "controller-class" . }}{{ end }}
{{- with include "keyferry.scope" . }}{{ $_ := set $flags "namespace" . }}{{ end }}
{{- with .Values.storeRequeueInterval }}{{ $_ := set $flags "store-requeue-interval" . }}{{ end }}
{{- with .Values.statusHeartbeat }}{{ $_ := set $flags "status-heartbeat" . }}{{ end }}
{{- with .Values.allowVaultHosts }}{{ $_ := set $flags "allow-vault-host" . }}{{ end }}
{{- if .Values.leaderElect }}
{{- $_ := set $flags "enable-leader-election" true }}
{{- with .Values.leaderElectionID }}{{ $_ := set $flags "leader-election-id" . }}{{ end }}
{{- with .Values.leaderElectionLeaseDuration }}{{ $_ := set $flags "leader-election-lease-duration" . }}{{ end }}
{{- with .Values.leaderElectionRenewDeadline }}{{ $_ := set $flags "leader-election-renew-deadline" . }}{{ end }}
{{- with .Values.leaderElectionRetryPeriod }}{{ $_ := set $flags "leader-election-retry-period" . }}{{ end }}
{{- end }}
{{- if .Values.extendedMetricLabels }}{{ $_ := set $flags "enable-extended-metric-labels" true }}{{ end }}
{{- if not .Values.metrics.perObject }}{{ $_ := set $flags "metrics-per-object" false }}{{ end }}
{{- with .Values.metrics.listen.secure }}
{{- if .enabled }}
{{- $_ := set $flags "metrics-secure" true }}
{{- $_ := set $flags "metrics-cert-dir" .certDir }}
{{- $_ := set $flags "metrics-cert-name" .certFile }}
{{- $_ := set $flags "metrics-key-name" .keyFile }}
{{- end }}
{{- end }}
{{- if .Values.metrics.listen.auth.enabled }}{{ $_ := set $flags "metrics-auth" true }}{{ end }}
{{- if .Values.genericTargets.enabled }}{{ $_ := set $flags "unsafe-allow-generic-targets" true }}{{ end }}
{{- $served := dict
  "secret-store" .Values.processSecretStore
  "cluster-store" (eq (include "keyferry.clusterStores" .) "true")
  "cluster-external-secret" (and .Values.processClusterExternalSecret (not .Values.scopedRBAC))
  "push-secret" .Values.processPushSecret
  "cluster-push-secret" (and .Values.processClusterPushSecret (not .Values.scopedRBAC)) }}
{{- range $kind, $on := $served }}
{{- if not $on }}{{ $_ := set $flags (printf "enable-%s-reconciler" $kind) false }}{{ end }}
{{- end }}
{{- range $flag, $value := .Values.extraArgs }}{{ $_ := set $flags $flag $value }}{{ end }}
{{- range $flag, $value := $flags }}
{{- if kindIs "slice" $value }}
{{- range $value }}
- --{{ $flag }}={{ . }}
{{- end }}
{{- else if or (kindIs "invalid" $value) (eq (toString $value) "") }}
- --{{ $flag }}
{{- else if and (kindIs "float64" $value) (eq $value (floor $value)) }}
- --{{ $flag }}={{ int64 $value }}
{{- else }}
- --{{ $flag }}={{ $value }}
{{- end }}
{{- end }}
{{- end }}

{{/* A security context without what OpenShift sets itself. Takes [context, security context]. */}}
{{- define "keyferry.securityContext" -}}
{{- $context := index . 0 }}
{{- $wanted := omit (index . 1) "enabled" }}
{{- $adapt := $context.Values.global.compatibility.openshift.adaptSecurityContext }}
{{- if or (eq $adapt "force") (and (eq $adapt "auto") ($context.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}
{{- $wanted = omit $wanted "runAsUser" "runAsGroup" "fsGroup" }}
{{- end }}
{{- toYaml $wanted }}
{{- end }}

{{/* Whether a kind of the Prometheus operator is rendered: "true" or nothing. Takes [context, values, kind]. */}}
{{- define "keyferry.monitoring" -}}
{{- $context := index . 0 }}
{{- $values := index . 1 }}
{{- $kind := index . 2 }}
{{- if $values.enabled }}
{{- $served := $context.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind) }}
{{- if or $served (eq $values.renderMode "alwaysRender") }}true
{{- else if eq $values.renderMode "failIfMissing" }}
{{- fail (printf "the cluster serves no %s (monitoring.coreos.com/v1); install the Prometheus operator, or set renderMode to skipIfMissing" $kind) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "keyferry.crdAnnotations" -}}
{{- $annotations := dict }}
{{- if .Values.crds.keep }}{{ $_ := set $annotations "helm.sh/resource-policy" "keep" }}{{ end }}
{{- range $name, $value := .Values.crds.annotations }}{{ $_ := set $annotations $name $value }}{{ end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A list of those values of ESO's chart that are set and mean nothing here. */}}
{{- define "keyferry.ignored" -}}
{{- $ignored := list }}
{{- range $path := list
  "bitwarden-sdk-server" "certController" "crds.conversion" "crds.createClusterExternalSecret" "crds.createClusterGenerator"
  "crds.createClusterPushSecret" "crds.createPushSecret" "crds.unsafeServeV1Beta1" "enableHTTP2"
  "log.timeEncoding" "processClusterGenerator" "systemAuthDelegator" "vault" "webhook" }}
{{- $value := $.Values }}
{{- range splitList "." $path }}{{ $value = get (default dict $value) . }}{{ end }}
{{- if not (kindIs "invalid" $value) }}
{{- if ne (toString $value) "" }}{{ $ignored = append $ignored $path }}{{ end }}
{{- end }}
{{- end }}
{{- toYaml $ignored }}
{{- end }}
