"""What FIB-4 is for, what it takes and where it stops."""

from __future__ import annotations

from datetime import timedelta

from twin_engine.model import Inputs, ModelCard, Signal

FAMILY = "advanced-liver-fibrosis"
AGES = (36, 110)
YEAR = timedelta(days=366)

# Guards, not publication: above 500 U/L the liver is acutely ill.
ASPARTATE = Signal("aspartate-aminotransferase", "U/L", 5, 500, YEAR)
ALANINE = Signal("alanine-aminotransferase", "U/L", 5, 500, YEAR)
PLATELETS = Signal("platelets", "10*3/uL", 10, 1000, YEAR)

INPUTS = Inputs(signals=(ASPARTATE, ALANINE, PLATELETS), ages=AGES)

CARD = ModelCard(
    name="fib4",
    version="2017.1",
    title="FIB-4 index (Sterling 2006), cut-offs for fatty liver",
    intended_use=(
        "Telling in whom advanced fibrosis of the liver is unlikely and who needs another test, among people "
        "with steatotic liver disease or a reason to suspect it. Decision support; not for sole use."
    ),
    population=(
        "Adults over 35 years with steatotic liver disease, diabetes, obesity or raised liver enzymes."
    ),
    out_of_scope=("Ages of 35 years and under", "Acute hepatitis and other acute illness of the liver"),
    inputs_note=(
        "The assessment date is the instant of the forecast and age is in completed years on it (UTC). The "
        "newest aspartate and alanine aminotransferase and platelet count are taken, none older than a year; "
        "they need not be of one day. A missing value or one outside the declared range is refused. Low is "
        "an index under 1.30, from 65 years on under 2.0; high is one over 2.67."
    ),
    performance=(
        "Published: area under the curve for advanced fibrosis 0.77 (Sterling 2006) and 0.80 (Shah 2009); at "
        "35 years and under 0.60 (McPherson 2017). Not validated here on local data."
    ),
    limitations=(
        "A score, not a probability: no probability or interval is given",
        "The cut-offs are those for fatty liver; for hepatitis C others were published (1.45 and 3.25)",
        "Nobody's reason to suspect a liver disease is checked",
        "Values of different days count as one set",
    ),
    sources=(
        "Sterling RK et al. Hepatology 2006;43:1317-1325, doi 10.1002/hep.21178",
        "Shah AG et al. Clin Gastroenterol Hepatol 2009;7:1104-1112, doi 10.1016/j.cgh.2009.05.033",
        "McPherson S et al. Am J Gastroenterol 2017;112:740-751, doi 10.1038/ajg.2016.453",
    ),
    evidence="verified",
    families=(FAMILY,),
)
