package servers

import (
	"encoding/json"
	"time"
)

// Alert is one alert of a notification.
type Alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint,omitempty"`
}

// Firing is a critical alert that fires since a time.
func Firing(name, service string, since time.Time) Alert {
	return Alert{
		Status:      "firing",
		Labels:      map[string]string{"alertname": name, "service": service, "severity": "critical"},
		Annotations: map[string]string{}, StartsAt: since,
	}
}

// Resolved is the end of an alert.
func (a Alert) Resolved(at time.Time) Alert {
	a.Status, a.EndsAt = "resolved", at
	return a
}

// Notification is Alertmanager's webhook body, version 4.
func Notification(alerts ...Alert) []byte {
	status := "resolved"
	for _, a := range alerts {
		if a.Status == "firing" {
			status = "firing"
		}
	}
	b, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{alertname="x"}`, "truncatedAlerts": 0, "status": status, "receiver": "meantime",
		"groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager.example.org", "alerts": alerts,
	})
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return b
}
