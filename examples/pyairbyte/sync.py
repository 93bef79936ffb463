import json

import airbyte

source = airbyte.get_source("source-dwv", config=json.load(open("config.json")), docker_image="ghcr.io/imob-data/source-dwv:0.3.6")
source.check()
source.select_all_streams()
result = source.read(airbyte.caches.DuckDBCache(db_path="rows.duckdb"))
for name, dataset in result.streams.items():
    print(name, len(dataset.to_pandas()))
