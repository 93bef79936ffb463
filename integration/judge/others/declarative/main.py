"""A source that a manifest describes, run by Airbyte's Python CDK: what make others judges beside a source from PyPI."""

import sys
from pathlib import Path

from airbyte_cdk.entrypoint import AirbyteEntrypoint, launch
from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource

arguments = sys.argv[1:]
given = {
    name: getattr(YamlDeclarativeSource, "read_" + name)(path) if path else None
    for name, path in (
        (name, getattr(AirbyteEntrypoint, f"extract_{name}")(arguments)) for name in ("config", "catalog", "state")
    )
}
launch(YamlDeclarativeSource(path_to_yaml=str(Path(__file__).with_name("manifest.yaml")), **given), arguments)
