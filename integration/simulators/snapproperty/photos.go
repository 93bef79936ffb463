package snapproperty

import (
	"net/http"
	"strconv"
	"strings"
)

// The Ids of queries that have more to give.
func queryID(index int) string { return salesforceID(queryPrefix, 3_000_000+index) }

// addPhotos sets a property's photos, all of them or the first ones. A property without any has null, or nothing.
func (s *Simulator) addPhotos(row object, index int) {
	const name = "snap_brok__Fotos_de_im_vel__r"
	switch {
	case photosOf(index) > 0:
		row[name] = s.photos(index, 0)
	case index%40 < 20:
		row[name] = nil
	}
}

// photos returns the list of a property's photos from one on.
func (s *Simulator) photos(index, from int) object {
	total := photosOf(index)
	to := total
	if s.with.PhotosAtOnce > 0 {
		to = min(from+s.with.PhotosAtOnce, total)
	}
	records := list{}
	for k := from; k < to; k++ {
		records = append(records, photo(index, k))
	}
	photos := object{"totalSize": total, "done": to == total, "records": records}
	if to < total && !s.with.NoNextPhotos {
		photos["nextRecordsUrl"] = queryPath + queryID(index) + "-" + strconv.Itoa(to)
	}
	return photos
}

// photo returns the k-th photo of a property. The first has the number 0 or 1; the smaller pictures are missing for some.
func photo(index, k int) object {
	n := firstPhoto(index) + k
	id := photoID(n)
	row := object{"snap_brok__Imovel__c": propertyID(index)}
	sizes := map[string]string{"Url_imagem": "800", "Url_imagem_200px": "200", "Url_imagem_400px": "400", "URL_imagem_800px": "800"}
	for name, size := range sizes {
		row["snap_brok__"+name+"__c"] = "https://storage.googleapis.com/snapproperty_imgs/dev/" + id + "_" + size + ".jpg"
	}
	small := []string{"snap_brok__Url_imagem_200px__c", "snap_brok__Url_imagem_400px__c", "snap_brok__URL_imagem_800px__c"}
	switch n % 9 {
	case 4:
		row["snap_brok__Url_imagem__c"] = "http://www.imobiliaria.example/fotos/casa geminada (" + strconv.Itoa(n) + ").jpg?a=1&b=2"
		for _, name := range small {
			delete(row, name)
		}
	case 5:
		row.Put(nil, small...)
	}
	if n%31 != 7 {
		row["snap_brok__Ordem__c"] = k + index%2
	}
	return sobject(version, "snap_brok__Foto_Imovel__c", id, row)
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
	answer(w, http.StatusOK, s.photos(index, from))
	return nil
}

// cities answers with the cities that have properties for rent.
func (s *Simulator) cities(w http.ResponseWriter) {
	s.data.RLock()
	found := s.letCities()
	s.data.RUnlock()
	cities := list{}
	for _, city := range found {
		cities = append(cities, sobject(version, "snap_finan__Cidade__c", city.id, object{"Name": city.name}))
	}
	answer(w, http.StatusOK, object{"Total": len(found), "Mensagem": "Pesquisa realizada com sucesso", "cidades": cities, "Erro": false})
}

// letCities returns the cities with properties for rent. The caller holds data.
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
