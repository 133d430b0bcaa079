"""Translation between FHIR resources and the values of the cores."""
