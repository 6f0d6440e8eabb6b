{{- define "planec.namespace" -}}
{{ .Values.namespace | default .Release.Namespace }}
{{- end }}

{{/* The labels by which the DaemonSet finds its pods: they cannot be changed later. */}}
{{- define "planec.selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
{{- end }}

{{- define "planec.labels" -}}
{{ include "planec.selector" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end }}

{{- define "planec.serviceAccount" -}}
{{ .Values.serviceAccount.name | default .Values.name }}
{{- end }}

{{/* iptables and IPVS need programs that the other image does not have. */}}
{{- define "planec.xtables" -}}
{{ if has .Values.backend (list "iptables" "ipvs") }}yes{{ end }}
{{- end }}

{{- define "planec.image" -}}
{{ .Values.image.repository }}
{{- if .Values.image.digest -}}
@{{ .Values.image.digest }}
{{- else if .Values.image.tag -}}
:{{ .Values.image.tag }}
{{- else -}}
:{{ .Chart.AppVersion }}{{ if include "planec.xtables" . }}-xtables{{ end }}
{{- end }}
{{- end }}

{{/* Where settings come from. */}}
{{- define "planec.config" -}}
{{- if .Values.nodeConfig -}}
- --config=/etc/planec/node.yaml
{{- else if .Values.kubeProxyConfigMap -}}
- --config=/var/lib/kube-proxy/config.conf
{{- end }}
{{- end }}

{{/* kube-proxy's ConfigMap is there for the settings, or for its kubeconfig. */}}
{{- define "planec.kubeProxyMounted" -}}
{{ if and .Values.kubeProxyConfigMap (not (and .Values.nodeConfig .Values.apiServer.host)) }}yes{{ end }}
{{- end }}

{{- define "planec.configMounts" -}}
{{- if include "planec.kubeProxyMounted" . -}}
- {name: config, mountPath: /var/lib/kube-proxy, readOnly: true}
{{- end }}
{{- if .Values.nodeConfig }}
- {name: node-config, mountPath: /etc/planec, readOnly: true}
{{- end }}
{{- end }}

{{- define "planec.nodeConfig" -}}
apiVersion: planec.io/v1alpha1
kind: NodeConfig
{{ toYaml .Values.nodeConfig }}
{{- end }}

{{- define "planec.args" -}}
{{- include "planec.config" . }}
{{- if .Values.apiServer.host }}
- --kubeconfig=
{{- else if .Values.nodeConfig }}
- --kubeconfig=/var/lib/kube-proxy/kubeconfig.conf
{{- end }}
- --backend={{ .Values.backend }}
{{- if eq .Values.backend "ebpf" }}
- --cgroup=/host/cgroup
{{- end }}
- --sysctls=false
{{- if .Values.takeover }}
- --takeover={{ .Values.takeover }}
{{- end }}
{{- if .Values.policies }}
- --policies
{{- end }}
{{- if .Values.lbIPAM.enabled }}
- --lb-ipam
{{- if ne (include "planec.namespace" .) "kube-system" }}
- --lb-lease={{ include "planec.namespace" . }}/planec-lb-ipam
{{- end }}
{{- with .Values.lbIPAM.classes }}
- --lb-class={{ join "," . }}
{{- end }}
{{- end }}
{{- if .Values.bgp.enabled }}
- --bgp=frr
- --frr-dir=/var/lib/planec/frr
- --frr-reload=
{{- end }}
{{- if .Values.l2Announce.enabled }}
- --l2-announce
{{- if ne (include "planec.namespace" .) "kube-system" }}
- --l2-namespace={{ include "planec.namespace" . }}
{{- end }}
{{- end }}
{{- if .Values.ebpf.countConnections }}
- --count-connections
{{- end }}
{{- if ne (int .Values.healthz.port) 10256 }}
- --healthz-bind-address=0.0.0.0:{{ .Values.healthz.port }}
{{- end }}
{{- if .Values.metrics.expose }}
- --metrics-bind-address={{ .Values.metrics.address }}:{{ .Values.metrics.port }}
{{- else if ne (int .Values.metrics.port) 10249 }}
- --metrics-bind-address=127.0.0.1:{{ .Values.metrics.port }}
{{- end }}
{{- if ne .Values.log.level "info" }}
- --log-level={{ .Values.log.level }}
{{- end }}
{{- if ne .Values.log.format "text" }}
- --log-format={{ .Values.log.format }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Values that are right one by one and make no sense together. */}}
{{- define "planec.check" -}}
{{- if not (or .Values.kubeProxyConfigMap .Values.apiServer.host) }}
{{- fail "the agent needs the API server's own address: give apiServer.host, or kubeProxyConfigMap, the ConfigMap that has kubeadm's kubeconfig.conf. Without them the agent would need the Service \"kubernetes\", whose rules are its own work" }}
{{- end }}
{{- /* Every namespace of a cluster has kube-root-ca.crt; "helm template" sees no cluster. */}}
{{- $namespace := include "planec.namespace" . }}
{{- if and (include "planec.kubeProxyMounted" .) (lookup "v1" "ConfigMap" $namespace "kube-root-ca.crt") }}
{{- if not (lookup "v1" "ConfigMap" $namespace .Values.kubeProxyConfigMap) }}
{{- fail (printf "namespace %s has no ConfigMap %s, as kubeadm makes it, and pods would wait for it: name another one in kubeProxyConfigMap, or give nodeConfig, apiServer.host, and \"\" for kubeProxyConfigMap" $namespace .Values.kubeProxyConfigMap) }}
{{- end }}
{{- end }}
{{- if and .Values.ebpf.countConnections (ne .Values.backend "ebpf") }}
{{- fail (printf "ebpf.countConnections has no meaning with backend %s: only the programs of backend ebpf count" .Values.backend) }}
{{- end }}
{{- range list "directPods" "policiesAtInterfaces" "untrackedPods" }}
{{- if and (index $.Values.nodeConfig .) (ne $.Values.backend "ebpf") }}
{{- fail (printf "nodeConfig.%s has no meaning with backend %s: give backend ebpf" . $.Values.backend) }}
{{- end }}
{{- end }}
{{- if hasKey .Values.podLabels "app.kubernetes.io/name" }}
{{- fail "podLabels has app.kubernetes.io/name, by which the DaemonSet finds its pods: give name" }}
{{- end }}
{{- if and .Values.metrics.serviceMonitor.enabled (not .Values.metrics.expose) }}
{{- fail "metrics.serviceMonitor needs metrics.expose: the metrics are on each node's loopback, where Prometheus does not reach them" }}
{{- end }}
{{- if eq (int .Values.healthz.port) (int .Values.metrics.port) }}
{{- fail (printf "healthz.port and metrics.port are both %d: they are two servers" (int .Values.metrics.port)) }}
{{- end }}
{{- end }}

{{/* Gives the agent's account the role of a name: (list . NAME). */}}
{{- define "planec.binding" -}}
{{- $name := index . 1 }}
{{- with index . 0 }}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "planec.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
- kind: ServiceAccount
  name: {{ include "planec.serviceAccount" . }}
  namespace: {{ include "planec.namespace" . }}
{{- end }}
{{- end }}
