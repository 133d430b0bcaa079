"""VCF files made by pysam for the tests."""

import pysam

CONTIGS = (("chr10", 133797422), ("chr12", 133275309), ("chrX", 156040895), ("chrM", 16569), ("chrUn_1", 500))
CSQ = "Consequences from VEP. Format: Allele|Consequence|SYMBOL|Feature|HGVSc|HGVSp|MANE_SELECT"
SINGLE = (("END", 1, "Integer"), ("SVTYPE", 1, "String"), ("SOMATIC", 0, "Flag"))
MANY = (("ANN", "."), ("CLNSIG", "."), ("GENEINFO", 1))
FORMATS = (("GT", "String"), ("PS", "Integer"), ("CN", "Integer"))


def header(*samples, contigs=CONTIGS, lines=("##fileDate=20260105",)):
    made = pysam.VariantHeader()
    for line in lines:
        made.add_line(line)
    for name, length in contigs:
        made.contigs.add(name, length=length)
    for name, number, kind in SINGLE:
        made.info.add(name, number, kind, name)
    for name, number in MANY:
        made.info.add(name, number, "String", name)
    made.info.add("CSQ", ".", "String", CSQ)
    made.filters.add("LowQual", None, None, "Low quality")
    for name, kind in FORMATS:
        made.formats.add(name, 1, kind, name)
    for sample in samples or ("s1",):
        made.add_sample(sample)
    return made


def record(
    chrom, pos, alleles, genotype, *, phased=False, passed="PASS", stop=None, id_=None, info=None, **given
):
    return {
        "contig": chrom,
        "start": pos - 1,
        "alleles": alleles,
        "filter": passed,
        "stop": stop or pos - 1 + len(alleles[0]),
        "id": id_,
        "info": info or {},
        "call": {"GT": genotype, "phased": phased, **given},
    }


def write(path, *records, mode="w", **described):
    made = header(**described)
    with pysam.VariantFile(str(path), mode, header=made) as file:
        for one in records:
            given = dict(one)
            call = dict(given.pop("call"))
            phased = call.pop("phased")
            entry = made.new_record(**given)
            for name in made.samples:
                for key, value in call.items():
                    entry.samples[name][key] = value
                entry.samples[name].phased = phased
            file.write(entry)
    return path
