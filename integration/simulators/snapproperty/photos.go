package snapproperty

import (
	"net/http"
	"strconv"
	"strings"
)

// The Ids of queries that have more to give.
func queryID(index int) string { return salesforceID(queryPrefix, 3_000_000+index) }

// writePhotos writes a property's photos, all of them or the first ones. A property without any has null, or nothing.
func (s *Simulator) writePhotos(w *writer, index int) {
	const name = "snap_brok__Fotos_de_im_vel__r"
	switch n := photosOf(index); {
	case n > 0:
		w.Name(name)
		s.photos(w, index, 0)
	case index%40 < 20:
		w.Is(name, "null")
	}
}

// photos writes the list of a property's photos from one on.
func (s *Simulator) photos(w *writer, index, from int) {
	total := photosOf(index)
	to := total
	if s.with.PhotosAtOnce > 0 {
		to = min(from+s.with.PhotosAtOnce, total)
	}
	w.Raw("{")
	w.Int("totalSize", total)
	w.Bool("done", to == total)
	if to < total && !s.with.NoNextPhotos {
		w.Text("nextRecordsUrl", queryPath+queryID(index)+"-"+strconv.Itoa(to))
	}
	w.Is("records", "[")
	for k := from; k < to; k++ {
		w.Next()
		s.photo(w, index, k)
	}
	w.Raw("]}")
}

// photo writes the k-th photo of a property. The first has the number 0 or 1; the smaller pictures are missing for some.
func (s *Simulator) photo(w *writer, index, k int) {
	n := firstPhoto(index) + k
	id := photoID(n)
	url := func(size string) string {
		return "https://storage.googleapis.com/snapproperty_imgs/dev/" + id + "_" + size + ".jpg"
	}
	w.Raw("{")
	w.attributes(version, "snap_brok__Foto_Imovel__c", id)
	w.Text("snap_brok__Imovel__c", propertyID(index))
	w.Text("Id", id)
	switch n % 9 {
	case 4:
		w.Text("snap_brok__Url_imagem__c", "http://www.imobiliaria.example/fotos/casa geminada ("+strconv.Itoa(n)+").jpg?a=1&b=2")
	case 5:
		w.Text("snap_brok__Url_imagem__c", url("800"))
		w.Is("snap_brok__Url_imagem_200px__c", "null")
		w.Is("snap_brok__Url_imagem_400px__c", "null")
		w.Is("snap_brok__URL_imagem_800px__c", "null")
	default:
		w.Text("snap_brok__Url_imagem__c", url("800"))
		w.Text("snap_brok__Url_imagem_200px__c", url("200"))
		w.Text("snap_brok__Url_imagem_400px__c", url("400"))
		w.Text("snap_brok__URL_imagem_800px__c", url("800"))
	}
	if n%31 != 7 {
		w.Int("snap_brok__Ordem__c", k+index%2)
	}
	w.Raw("}")
}

// morePhotos answers a nextRecordsUrl, of which rest is what comes after the path.
func (s *Simulator) morePhotos(w http.ResponseWriter, rest string) *refusal {
	invalid := &refusal{http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator"}
	id, position, _ := strings.Cut(rest, "-")
	from, err := strconv.Atoi(position)
	s.data.RLock()
	defer s.data.RUnlock()
	index, ok := find(len(s.rows), queryID, id)
	if err != nil || !ok || s.rows[index].gone || s.with.PhotosAtOnce == 0 || from < 1 || from >= photosOf(index) || from%s.with.PhotosAtOnce != 0 {
		return invalid
	}
	var out writer
	s.photos(&out, index, from)
	answer(w, http.StatusOK, out.B)
	return nil
}

// cities answers with the cities that have properties for rent.
func (s *Simulator) cities(w http.ResponseWriter) {
	s.data.RLock()
	found := s.letCities()
	s.data.RUnlock()
	var out writer
	out.Raw("{")
	out.Int("Total", len(found))
	out.Text("Mensagem", "Pesquisa realizada com sucesso")
	out.Is("cidades", "[")
	for _, city := range found {
		out.Next()
		out.Raw("{")
		out.attributes(version, "snap_finan__Cidade__c", city.id)
		out.Text("Id", city.id)
		out.Text("Name", city.name)
		out.Raw("}")
	}
	out.Raw("]")
	out.Bool("Erro", false)
	answer(w, http.StatusOK, append(out.B, '}'))
}

// letCities are the cities with properties for rent. The caller holds data.
func (s *Simulator) letCities() (found []named) {
	has := map[string]bool{}
	for i := range s.rows {
		if p := s.property(i); !p.row.gone && p.forRent() {
			has[p.city().id] = true
		}
	}
	for _, city := range s.stock.cities {
		if has[city.id] {
			found = append(found, city)
		}
	}
	return found
}
