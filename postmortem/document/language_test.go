package document

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/lexicon"
)

func TestDetectLanguage(t *testing.T) {
	all, err := lexicon.All()
	require.NoError(t, err)
	for text, want := range map[string]string{
		"The service was down and we fixed it for our users.":             "en",
		"El servicio estuvo caído y lo arreglamos para los usuarios.":     "es",
		"O serviço ficou fora do ar e não foi possível para os usuários.": "pt",
		"Le service est tombé et nous avons corrigé pour les clients.":    "fr",
		"Der Dienst war nicht erreichbar und wir haben ihn repariert.":    "de",
		"Il servizio non è stato disponibile e lo abbiamo ripristinato.":  "it",
		"De dienst was niet bereikbaar en wij hebben het hersteld.":       "nl",
		"Layanan tidak dapat diakses dan kami sudah memperbaiki ini.":     "id",
		"サービスが停止しましたので復旧しました。":                                            "ja",
		"服务不可用，我们已经恢复了服务。":                                                "zh",
		"Palvelu oli poissa ja se on nyt korjattu, mutta ei kaikki.":      "fi",
		"": "en",
	} {
		_, blocks := plainBlocks(text)
		require.Equal(t, want, Detect(blocks, all).Code, text)
	}
}
