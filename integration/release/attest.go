package release

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	provenance "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Run is what is known of the run that publishes.
type Run struct {
	Repository string    // https address of the source
	Commit     string    // of the source
	Builder    string    // who builds: a URI, such as the address of the workflow
	Invocation string    // of this run: a URI, or ""
	Began      time.Time // when it began
}

// The types of what is said of an image.
const (
	spdxType       = "https://spdx.dev/Document"
	provenanceType = "https://slsa.dev/provenance/v1"
	intotoLayer    = types.MediaType("application/vnd.in-toto+json")
)

// index is the images of a version, each followed by what is said of it, in the form that Docker's tools read.
type index struct{ parts []mutate.IndexAddendum }

func (x *index) index() v1.ImageIndex {
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), x.parts...)
}

// add adds an image and its statements.
func (x *index) add(image v1.Image, c Connector, base string, run Run) error {
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	about, err := program(image, config, config.Architecture)
	if err != nil {
		return err
	}
	contents, err := sbom(c, about, base, run)
	if err != nil {
		return err
	}
	origin, err := origin(c, config.Architecture, base, run)
	if err != nil {
		return err
	}
	said := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, s := range []struct {
		kind      string
		predicate []byte
	}{{spdxType, contents}, {provenanceType, origin}} {
		layer, err := statement(c, digest, s.kind, s.predicate)
		if err != nil {
			return err
		}
		if said, err = mutate.Append(said, mutate.Addendum{
			Layer: layer, MediaType: intotoLayer, Annotations: map[string]string{"in-toto.io/predicate-type": s.kind},
		}); err != nil {
			return err
		}
	}
	nowhere := &v1.Platform{OS: "unknown", Architecture: "unknown"}
	x.parts = append(x.parts,
		mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: config.Architecture}}},
		mutate.IndexAddendum{Add: said, Descriptor: v1.Descriptor{Platform: nowhere, Annotations: map[string]string{
			"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest.String(),
		}}})
	return nil
}

// statement returns what is said of an image as a layer.
func statement(c Connector, digest v1.Hash, kind string, predicate []byte) (v1.Layer, error) {
	var content structpb.Struct
	if err := protojson.Unmarshal(predicate, &content); err != nil {
		return nil, fmt.Errorf("stating %s: %w", kind, err)
	}
	s := &intoto.Statement{
		Type: intoto.StatementTypeUri, PredicateType: kind, Predicate: &content,
		Subject: []*intoto.ResourceDescriptor{{
			Name: fmt.Sprintf("pkg:docker/%s@%s", strings.TrimPrefix(c.Image, "ghcr.io/"), c.Version), Digest: map[string]string{digest.Algorithm: digest.Hex},
		}},
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("stating %s: %w", kind, err)
	}
	body, err := protojson.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("stating %s: %w", kind, err)
	}
	return static.NewLayer(body, intotoLayer), nil
}

// sbom returns what is in an image, as an SPDX document: the connector, the modules that it is built of, as its binary names them, Go, and the
// base image.
func sbom(c Connector, about *buildinfo.BuildInfo, base string, run Run) ([]byte, error) {
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: c.Name,
		DocumentNamespace: fmt.Sprintf("%s/sbom/%s/%s/%s", run.Repository, c.Name, c.Version, run.Commit),
		CreationInfo: &spdx.CreationInfo{
			Created: run.Began.UTC().Format(time.RFC3339), Creators: []common.Creator{{CreatorType: "Tool", Creator: "integration/cmd/release"}},
		},
	}
	add := func(id, name, version, place, purl string) {
		p := &spdx.Package{
			PackageName: name, PackageSPDXIdentifier: common.ElementID(id), PackageVersion: version, PackageDownloadLocation: place,
		}
		if purl != "" {
			p.PackageExternalReferences = []*spdx.PackageExternalReference{{Category: "PACKAGE-MANAGER", RefType: "purl", Locator: purl}}
		}
		from, kind := common.MakeDocElementID("", "Package-connector"), common.TypeRelationshipDependsOn
		if id == "Package-connector" {
			from, kind = common.MakeDocElementID("", "DOCUMENT"), common.TypeRelationshipDescribe
		}
		document.Packages = append(document.Packages, p)
		document.Relationships = append(document.Relationships, &spdx.Relationship{RefA: from, RefB: common.MakeDocElementID("", id), Relationship: kind})
	}
	add("Package-connector", c.Name, c.Version, run.Repository, "")
	add("Package-base", "base image", base, "NOASSERTION", "")
	version := strings.TrimPrefix(about.GoVersion, "go")
	add("Package-go", "stdlib", version, "https://go.dev/dl/", "pkg:golang/stdlib@"+version)
	for i, m := range about.Deps {
		if m.Replace != nil { // another folder of this repository
			add(fmt.Sprintf("Package-%d", i), m.Path, c.Version, run.Repository, "")
			continue
		}
		add(fmt.Sprintf("Package-%d", i), m.Path, m.Version, "https://proxy.golang.org/"+m.Path+"/@v/"+m.Version+".zip", "pkg:golang/"+m.Path+"@"+m.Version)
	}
	var out bytes.Buffer
	if err := spdxjson.Write(document, &out); err != nil {
		return nil, fmt.Errorf("writing the SBOM: %w", err)
	}
	return out.Bytes(), nil
}

// origin returns how an image came about, by SLSA's provenance.
func origin(c Connector, architecture, base string, run Run) ([]byte, error) {
	below, err := name.NewDigest(base)
	if err != nil {
		return nil, fmt.Errorf("naming the base image: %w", err)
	}
	algorithm, hex, _ := strings.Cut(below.DigestStr(), ":")
	given, err := structpb.NewStruct(map[string]any{"connector": c.Name, "version": c.Version, "platform": "linux/" + architecture})
	if err != nil {
		return nil, err
	}
	p := &provenance.Provenance{
		BuildDefinition: &provenance.BuildDefinition{
			BuildType: run.Repository + "/blob/main/Dockerfile", ExternalParameters: given,
			ResolvedDependencies: []*intoto.ResourceDescriptor{
				{Uri: "git+" + run.Repository, Digest: map[string]string{"gitCommit": run.Commit}},
				{Uri: "pkg:docker/" + below.Context().RepositoryStr(), Digest: map[string]string{algorithm: hex}},
			},
		},
		RunDetails: &provenance.RunDetails{
			Builder:  &provenance.Builder{Id: cmp.Or(run.Builder, run.Repository)},
			Metadata: &provenance.BuildMetadata{InvocationId: run.Invocation, StartedOn: timestamppb.New(run.Began)},
		},
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("writing the provenance: %w", err)
	}
	body, err := protojson.Marshal(p)
	if err != nil || !json.Valid(body) {
		return nil, fmt.Errorf("writing the provenance: %w", err)
	}
	return body, nil
}
