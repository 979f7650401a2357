{{- define "meantime.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "meantime.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "meantime.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "meantime.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "meantime.selector" -}}
app.kubernetes.io/name: {{ include "meantime.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "meantime.labels" -}}
{{ include "meantime.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "meantime.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "meantime.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "meantime.config" -}}
{{- if (.Values.config.store | default dict).dsn }}{{ fail "config.store.dsn: the chart says it, by store.type" }}{{ end -}}
{{- if (.Values.config.store | default dict).dsn_file }}{{ fail "config.store.dsn_file: the chart says it, by store.postgresql.existingSecret" }}{{ end -}}
{{- $config := deepCopy .Values.config -}}
{{- $store := dict "dsn" "sqlite:/var/lib/meantime/meantime.db" -}}
{{- if eq .Values.store.type "postgresql" -}}
{{- $store = dict "dsn_file" "/etc/meantime/store/dsn" -}}
{{- end -}}
{{- $_ := set $config "store" (merge $store ($config.store | default dict)) -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* The pod of both kinds of workload. */ -}}
{{- define "meantime.pod" -}}
metadata:
  labels:
    {{- include "meantime.selector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A pod that lost its configuration's newest version would keep the old one: changes roll the pods.
    checksum/config: {{ include "meantime.config" . | sha256sum }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "meantime.serviceAccount" . }}
  automountServiceAccountToken: false
  # Variables of a Service called meantime, such as MEANTIME_PORT, would look like keys of the configuration.
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext: {{ toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: meantime
      image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --config.file=/etc/meantime/config/meantime.yml
        {{- with .Values.extraArgs }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with .Values.env }}
      env: {{ toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - {name: http, containerPort: 10049}
      # A store that is migrated or computed anew may take minutes at the first start of a new version.
      startupProbe:
        httpGet: {path: {{ .Values.routePrefix }}/-/healthy, port: http{{ if eq .Values.scheme "https" }}, scheme: HTTPS{{ end }}}
        periodSeconds: 5
        failureThreshold: 120
      livenessProbe:
        httpGet: {path: {{ .Values.routePrefix }}/-/healthy, port: http{{ if eq .Values.scheme "https" }}, scheme: HTTPS{{ end }}}
        periodSeconds: 15
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: {{ .Values.routePrefix }}/-/ready, port: http{{ if eq .Values.scheme "https" }}, scheme: HTTPS{{ end }}}
        periodSeconds: 5
        timeoutSeconds: 5
      resources: {{ toYaml .Values.resources | nindent 8 }}
      securityContext: {{ toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/meantime/config, readOnly: true}
        # Where SQLite puts what is computed anew.
        - {name: tmp, mountPath: /tmp}
        {{- if eq .Values.store.type "sqlite" }}
        - {name: store, mountPath: /var/lib/meantime}
        {{- else }}
        - {name: dsn, mountPath: /etc/meantime/store, readOnly: true}
        {{- end }}
        {{- range .Values.secrets }}
        - {name: secret-{{ . }}, mountPath: /etc/meantime/secrets/{{ . }}, readOnly: true}
        {{- end }}
        {{- range .Values.recordConfigMaps }}
        - {name: records-{{ . }}, mountPath: /etc/meantime/records/{{ . }}, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "meantime.fullname" . }}}
    - name: tmp
      emptyDir: {}
    {{- if eq .Values.store.type "postgresql" }}
    - name: dsn
      secret:
        secretName: {{ required "store.postgresql.existingSecret: name the Secret that holds the DSN" .Values.store.postgresql.existingSecret }}
        items: [{key: {{ .Values.store.postgresql.key }}, path: dsn}]
    {{- else if .Values.store.sqlite.existingClaim }}
    - name: store
      persistentVolumeClaim: {claimName: {{ .Values.store.sqlite.existingClaim }}}
    {{- end }}
    {{- range .Values.secrets }}
    - name: secret-{{ . }}
      secret: {secretName: {{ . }}}
    {{- end }}
    {{- range .Values.recordConfigMaps }}
    - name: records-{{ . }}
      configMap: {name: {{ . }}}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
