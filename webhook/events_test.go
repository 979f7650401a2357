package webhook

const eventCreated = `{"@timestamp":"2026-03-01T10:00:00.200Z","instance":"am-0","data":{"alertCreated":{"alert":{"fingerprint":"13976535140508350437","name":"Down",
 "labels":{"labels":[{"key":"alertname","value":"Down"},{"key":"instance","value":"db-1"}]},"annotations":{},"startsAt":"2026-03-01T10:00:00.123Z","endsAt":"2026-03-01T10:04:00.123Z"}}}}`
