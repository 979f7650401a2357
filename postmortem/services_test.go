package postmortem

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A service is found in the title and in what is said of the impact by a name that is known, and by no ordinary word.
func TestServicesByKnownNames(t *testing.T) {
	known := map[string]string{
		"checkout-api": "checkout-api", "checkout": "checkout", "web": "web", "api": "api", "mail": "mail", "search": "search",
		"The shop": "checkout", "authProxy": "authProxy", "pg15": "pg15", "orders_db": "orders_db", "customer": "customer",
	}
	for _, c := range []struct {
		name, title, impact string
		want                []string
	}{
		{"title", "Outage of checkout-api", "", []string{"checkout-api"}},
		{"title, another case", "Checkout-API was down", "", []string{"checkout-api"}},
		{"title before a colon", "checkout: errors for everybody", "", []string{"checkout"}},
		{"unknown", "Outage of checkout-apis", "", nil},
		{"part of a longer name", "Outage of checkout-api-v2", "", nil},
		{"part of an address", "Outage of checkout-api.example.org", "", nil},
		{"end of a sentence", "", "Customers could see errors of checkout-api.", []string{"checkout-api"}},
		{"two, in order", "", "Requests to orders_db and pg15 failed.", []string{"orders_db", "pg15"}},
		{"a name of two words", "", "Visitors of the shop saw errors.", []string{"checkout"}},
		{"letters no word has", "", "Logins by authProxy failed.", []string{"authProxy"}},
		{"the service", "", "The search service was slow.", []string{"search"}},
		{"an item", "", "- checkout\n- mail: late by an hour", []string{"checkout", "mail"}},
		{"ordinary words", "Web outage: the api sent no mail", "People lost mail in checkout, and the web api was slow. Search was slow.", nil},
		{"ordinary words before service", "", "The web service, the api service and customer service were slow.", nil},
		{"ordinary words alone", "", "- web\n- api", nil},
		{"spared", "", "Errors were seen. The service checkout-api was not affected. All but pg15 and, except for it, orders_db failed.", nil},
		{"unaffected", "", "Unaffected: checkout-api", nil},
		{"unaffected beside affected", "", "Users saw errors of pg15. The service checkout-api was not affected.", []string{"pg15"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			title := c.title
			if title == "" {
				title = "Outage of the mill"
			}
			text := "# " + title + "\n\nAll times UTC on 2024-05-06.\n\n## Impact\n\n" + c.impact +
				"\n\n## Timeline\n\n- 10:00 Outage begins\n- 10:20 orders_db is restarted by checkout-api\n- 10:30 Service restored for all customers\n"
			r := read(t, "mill.md", text, Options{Services: known})
			require.Len(t, r.Incidents, 1)
			require.Equal(t, c.want, r.Incidents[0].Record.Services)
			require.Empty(t, read(t, "mill.md", text, Options{}).Incidents[0].Record.Services, "without knowing")
		})
	}
	// What a field says counts alone.
	r := read(t, "mill.md", "# Outage of checkout-api\n\nServices: mill\n\n- 2024-05-06 10:00 UTC Outage begins\n", Options{Services: known})
	require.Equal(t, []string{"mill"}, r.Incidents[0].Record.Services)
}
