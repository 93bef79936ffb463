"""The image tests of Airbyte's CDK for the connector in whose folder this file is."""

from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite


class TestImage(DockerConnectorTestSuite):
    """All of them."""
