// Generated from alerts.yaml and records.yaml of dashboards/ by `make generate`. Do not edit.
{
  "thresholds": {
    "correlationFailures": 3,
    "correlationPassSeconds": 5,
    "incidentOpenSeconds": 86400,
    "sourceStaleSeconds": 21600,
    "sourceStandsStillSeconds": 3600,
    "storeWaitingWrites": 100,
    "suggestedLinks": 25,
    "watchdogSilentSeconds": 900
  },
  "alerts": [
    {
      "name": "meantime",
      "rules": [
        {
          "alert": "MeantimeAbsent",
          "expr": "absent(meantime_build_info)",
          "for": "10m",
          "labels": {
            "meantime": "self",
            "severity": "critical"
          },
          "annotations": {
            "description": "Meantime is down or not scraped. Alertmanager keeps trying to deliver for a while; what it gives up on is taken in later only if Meantime asks Alertmanager (`alertmanagers`) and the alert still fires.",
            "runbook_url": "docs/runbooks/MeantimeAbsent.md",
            "summary": "Prometheus has no metrics of Meantime."
          }
        },
        {
          "alert": "MeantimeConfigReloadFailed",
          "expr": "meantime_config_last_reload_successful == 0",
          "for": "5m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "The old configuration stays in force. `meantime check-config` lists every mistake with its line.",
            "runbook_url": "docs/runbooks/MeantimeConfigReloadFailed.md",
            "summary": "Meantime on {{ $labels.instance }} did not take its newest configuration."
          }
        },
        {
          "alert": "MeantimeWebhookErrors",
          "expr": "sum by (job, instance, receiver) (\n    increase(meantime_webhook_requests_total{code=~\"5..\"}[5m]) > 0\n  or\n    meantime_webhook_requests_total{code=~\"5..\"} unless meantime_webhook_requests_total{code=~\"5..\"} offset 5m\n)\n",
          "for": "10m",
          "labels": {
            "meantime": "self",
            "severity": "critical"
          },
          "annotations": {
            "description": "Meantime answers 5xx where it cannot store what came. Alertmanager tries again, but not for ever. See the log and MeantimeStoreErrors.",
            "runbook_url": "docs/runbooks/MeantimeWebhookErrors.md",
            "summary": "Meantime on {{ $labels.instance }} cannot take notifications ({{ $labels.receiver }})."
          }
        },
        {
          "alert": "MeantimeWebhookRefused",
          "expr": "sum by (job, instance, receiver, code) (\n    increase(meantime_webhook_requests_total{code=~\"4..\"}[15m]) > 0\n  or\n    meantime_webhook_requests_total{code=~\"4..\"} unless meantime_webhook_requests_total{code=~\"4..\"} offset 15m\n)\n",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "Alertmanager never sends again what was refused with 4xx, so a notification among them is lost. 401 and 403: the token is wrong or missing. 413: the body is over limits.body_bytes. 400: it is not Alertmanager's form; the answer, and the log at level debug, say where.",
            "runbook_url": "docs/runbooks/MeantimeWebhookRefused.md",
            "summary": "Meantime on {{ $labels.instance }} refuses requests to {{ $labels.receiver }} with {{ $labels.code }}."
          }
        },
        {
          "alert": "MeantimeAlertsRefused",
          "expr": "sum by (job, instance, receiver, reason) (increase(meantime_webhook_refused_total[15m])) > 0",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "The rest of each request was stored and answered with 2xx, so nobody sends again what was refused. form and labels: it is not what Alertmanager sends. time: a time that is none, or that lies ahead. status: neither firing nor resolved. unknown_alert: an event without its alert. The answer, and the log at level debug, name each alert and why.",
            "runbook_url": "docs/runbooks/MeantimeAlertsRefused.md",
            "summary": "Meantime on {{ $labels.instance }} refuses alerts out of what it takes from {{ $labels.receiver }} ({{ $labels.reason }})."
          }
        },
        {
          "alert": "MeantimeStoreErrors",
          "expr": "sum by (job, instance, operation, outcome) (\n    increase(meantime_store_operations_total{outcome=~\"unavailable|internal\"}[5m]) > 0\n  or\n    meantime_store_operations_total{outcome=~\"unavailable|internal\"}\n      unless meantime_store_operations_total{outcome=~\"unavailable|internal\"} offset 5m\n)\n",
          "for": "10m",
          "labels": {
            "meantime": "self",
            "severity": "critical"
          },
          "annotations": {
            "description": "unavailable: the database is down, locked, full or read-only. internal: something that should not happen. The log has the database's own words.",
            "runbook_url": "docs/runbooks/MeantimeStoreErrors.md",
            "summary": "The store of Meantime on {{ $labels.instance }} fails ({{ $labels.operation }}, {{ $labels.outcome }})."
          }
        },
        {
          "alert": "MeantimeStoreSlow",
          "expr": "meantime_store_waiting_writes > <storeWaitingWrites>",
          "for": "10m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "{{ $value }} of them. Webhooks are answered after the commit, so Alertmanager waits as well. The disk is slow, or more comes in than it can take.",
            "runbook_url": "docs/runbooks/MeantimeStoreSlow.md",
            "summary": "Writes wait for the store of Meantime on {{ $labels.instance }}."
          }
        },
        {
          "alert": "MeantimeLeaseNotHeld",
          "expr": "max by (job) (meantime_lease_held) == 0",
          "for": "5m",
          "labels": {
            "meantime": "self",
            "severity": "critical"
          },
          "annotations": {
            "description": "Incidents and figures stay as they were, and no source is read. Either the database does not answer (see the log), or a program that is not scraped holds the lease: another replica, or `meantime replay`.",
            "runbook_url": "docs/runbooks/MeantimeLeaseNotHeld.md",
            "summary": "No replica of Meantime correlates."
          }
        },
        {
          "alert": "MeantimeCorrelationFailing",
          "expr": "increase(meantime_correlation_failures_total[15m]) > <correlationFailures>",
          "for": "5m",
          "labels": {
            "meantime": "self",
            "severity": "critical"
          },
          "annotations": {
            "description": "Facts are stored, but incidents and figures stay as they were. It tries again until it can; the log says what stopped it.",
            "runbook_url": "docs/runbooks/MeantimeCorrelationFailing.md",
            "summary": "Meantime on {{ $labels.instance }} cannot finish a correlation pass."
          }
        },
        {
          "alert": "MeantimeCorrelationSlow",
          "expr": "sum by (job, instance) (rate(meantime_correlation_pass_duration_seconds_sum[15m]))\n  / sum by (job, instance) (rate(meantime_correlation_pass_duration_seconds_count[15m]))\n> <correlationPassSeconds>",
          "for": "15m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "One takes {{ $value | humanizeDuration }}. What comes in is in the figures only after the pass under way and the next one, so incidents lag behind by about twice that.",
            "runbook_url": "docs/runbooks/MeantimeCorrelationSlow.md",
            "summary": "Correlation passes of Meantime on {{ $labels.instance }} take long."
          }
        },
        {
          "alert": "MeantimeSourceDown",
          "expr": "max by (job, source) (meantime_source_up) == 0",
          "for": "15m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "Records and alerts of this source are missing or old. The first page of Meantime and its log say what it could not read, a bad file by its name and line.",
            "runbook_url": "docs/runbooks/MeantimeSourceDown.md",
            "summary": "Meantime cannot read all of its source {{ $labels.source }}."
          }
        },
        {
          "alert": "MeantimeSourceStale",
          "expr": "min by (job, source) (time() - meantime_source_last_success_timestamp_seconds) > <sourceStaleSeconds>",
          "for": "5m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "It last did {{ $value | humanizeDuration }} ago. The figures lack what happened since. If the source's own interval is that long, raise the bound of this rule.",
            "runbook_url": "docs/runbooks/MeantimeSourceStale.md",
            "summary": "Meantime has not read its source {{ $labels.source }} for long."
          }
        },
        {
          "alert": "MeantimeSourceStandsStill",
          "expr": "min by (job, source) (time() - meantime_source_cursor_timestamp_seconds) > <sourceStandsStillSeconds>",
          "for": "15m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "They are read up to {{ $value | humanizeDuration }} ago and no further. The vendor limits requests, answers too slowly, or its pages do not end. Incidents that changed since look as they did. The first page of Meantime says how far it is, and its log why.",
            "runbook_url": "docs/runbooks/MeantimeSourceStandsStill.md",
            "summary": "Changes of Meantime's source {{ $labels.source }} are no longer read."
          }
        },
        {
          "alert": "MeantimeSourceWebhooksRefused",
          "expr": "sum by (job, source) (increase(meantime_source_webhooks_total{outcome=\"refused\"}[30m])) > 1",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "Their signature does not fit a secret in `webhook_secret_files`, or the store cannot be written. Changes are read at the interval only, and PagerDuty switches a subscription off after some refusals.",
            "runbook_url": "docs/runbooks/MeantimeSourceWebhooksRefused.md",
            "summary": "Meantime refuses webhooks of the vendor of {{ $labels.source }}."
          }
        },
        {
          "alert": "MeantimeSourceRecordsRefused",
          "expr": "sum by (job, source) (increase(meantime_source_records_total{outcome=\"refused\"}[1h])) > 0",
          "for": "30m",
          "labels": {
            "meantime": "self",
            "severity": "info"
          },
          "annotations": {
            "description": "They are in no figure. The first page of Meantime and its log name each and say why, such as a time that lies ahead.",
            "runbook_url": "docs/runbooks/MeantimeSourceRecordsRefused.md",
            "summary": "Meantime cannot take some incidents of {{ $labels.source }}."
          }
        },
        {
          "alert": "MeantimeWatchdogSilent",
          "expr": "min by (job, watchdog) (time() - meantime_watchdog_last_seen_timestamp_seconds) > <watchdogSilentSeconds>",
          "labels": {
            "meantime": "self",
            "severity": "critical"
          },
          "annotations": {
            "description": "The last sign of life came {{ $value | humanizeDuration }} ago. An alert that always fires stopped arriving, so no other alert would arrive either. What happens now counts as blind: detection in it is unknown, not missed. The bound should be a little above `every` of the slowest watchdog.",
            "runbook_url": "docs/runbooks/MeantimeWatchdogSilent.md",
            "summary": "Nothing is heard of the watchdog {{ $labels.watchdog }}."
          }
        }
      ]
    },
    {
      "name": "meantime-incidents",
      "rules": [
        {
          "alert": "MeantimeIncidentOpenLong",
          "expr": "max by (job) (time() - meantime_oldest_open_incident_timestamp_seconds) > <incidentOpenSeconds>",
          "for": "15m",
          "labels": {
            "meantime": "self",
            "severity": "warning"
          },
          "annotations": {
            "description": "The oldest began {{ $value | humanizeDuration }} ago. Either it really lasts that long, or its record was never closed, or one of its alerts never resolved. Until it is closed its resolve is pending and in no statistic.",
            "runbook_url": "docs/runbooks/MeantimeIncidentOpenLong.md",
            "summary": "An incident has been open for long."
          }
        },
        {
          "alert": "MeantimeSuggestionsWaiting",
          "expr": "max by (job) (meantime_suggested_links) > <suggestedLinks>",
          "for": "1d",
          "labels": {
            "meantime": "self",
            "severity": "info"
          },
          "annotations": {
            "description": "{{ $value }} of them. Confirm or reject them on Meantime's pages: both make alert recall and precision more exact.",
            "runbook_url": "docs/runbooks/MeantimeSuggestionsWaiting.md",
            "summary": "Alerts may belong to an incident and wait for somebody to say so."
          }
        }
      ]
    }
  ],
  "records": [
    {
      "name": "meantime-figures",
      "rules": [
        {
          "record": "window:meantime_mttd_seconds:mean",
          "expr": "max by (job, cluster, window) (meantime_interval_mean_seconds{affected_service=\"\",severity=\"\",interval=\"detect\"})"
        },
        {
          "record": "window:meantime_mtta_seconds:mean",
          "expr": "max by (job, cluster, window) (meantime_interval_mean_seconds{affected_service=\"\",severity=\"\",interval=\"acknowledge\"})"
        },
        {
          "record": "window:meantime_mttm_seconds:mean",
          "expr": "max by (job, cluster, window) (meantime_interval_mean_seconds{affected_service=\"\",severity=\"\",interval=\"mitigate\"})"
        },
        {
          "record": "window:meantime_mttr_seconds:mean",
          "expr": "max by (job, cluster, window) (meantime_interval_mean_seconds{affected_service=\"\",severity=\"\",interval=\"resolve\"})"
        },
        {
          "record": "window:meantime_resolve_seconds:median",
          "expr": "max by (job, cluster, window) (meantime_interval_median_seconds{affected_service=\"\",severity=\"\",interval=\"resolve\"})"
        }
      ]
    }
  ]
}
