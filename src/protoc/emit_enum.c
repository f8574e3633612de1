/* Enums: the C one, and its table. */
#include "protoc/emit.h"

#include <stdlib.h>
#include <string.h>

void emit_enum(struct emit *e, const struct proto_enum *en)
{
    emit_about(e, en->full_name);
    emit(e, "typedef enum _$T {\n");
    for (unsigned i = 0; i < en->value_count; i++)
        emit(e, "    $U__$s = $i$s\n", en->values[i].name, en->values[i].number,
             i + 1 < en->value_count ? "," : "");
    emit(e, "        PROTOBUF_C__FORCE_ENUM_TO_BE_INT_SIZE($U)\n} $T;\n\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct proto_value *const *)a)->name,
                  (*(const struct proto_value *const *)b)->name);
}

static int by_number(const void *a, const void *b)
{
    const struct proto_value *x = *(const struct proto_value *const *)a;
    const struct proto_value *y = *(const struct proto_value *const *)b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* One row a number, the first name of each. */
static unsigned emit_values(struct emit *e, const struct proto_value **sorted, unsigned count)
{
    unsigned kept = 0;
    emit(e, "static const ProtobufCEnumValue $l__values[] = {\n");
    for (unsigned i = 0; i < count; i++) {
        if (kept > 0 && sorted[kept - 1]->number == sorted[i]->number)
            continue;
        sorted[kept++] = sorted[i];
        emit(e, "    {$q, \"$U__$s\", $i},\n", sorted[i]->name, sorted[i]->name, sorted[i]->number);
    }
    emit(e, "};\n");
    return kept;
}

static unsigned emit_ranges(struct emit *e, const struct proto_value *const *sorted, unsigned kept)
{
    unsigned made = 0;
    emit(e, "static const ProtobufCIntRange $l__value_ranges[] = {\n");
    for (unsigned i = 0; i < kept; i++)
        if (i == 0 || (int64_t)sorted[i - 1]->number + 1 != sorted[i]->number) {
            emit(e, "    {$i, $u},\n", sorted[i]->number, i);
            made++;
        }
    emit(e, "    {0, $u},\n};\n", kept);
    return made;
}

static unsigned index_of(const struct proto_value *const *sorted, unsigned kept, int32_t number)
{
    unsigned low = 0, high = kept;
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (sorted[middle]->number <= number)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void emit_names(struct emit *e, const struct proto_enum *en,
                       const struct proto_value *const *sorted, unsigned kept)
{
    const struct proto_value **names = schema_take(e->schema, en->value_count, sizeof(*names));
    if (!names)
        return;
    for (unsigned i = 0; i < en->value_count; i++)
        names[i] = &en->values[i];
    qsort(names, en->value_count, sizeof(*names), by_name);
    emit(e, "static const ProtobufCEnumValueIndex $l__values_by_name[] = {\n");
    for (unsigned i = 0; i < en->value_count; i++)
        emit(e, "    {$q, $u},\n", names[i]->name, index_of(sorted, kept, names[i]->number));
    emit(e, "};\n");
}

void emit_enum_table(struct emit *e, const struct proto_enum *en)
{
    const struct proto_value **sorted = schema_take(e->schema, en->value_count, sizeof(*sorted));
    if (!sorted)
        return;
    for (unsigned i = 0; i < en->value_count; i++)
        sorted[i] = &en->values[i];
    qsort(sorted, en->value_count, sizeof(*sorted), by_number);
    emit_about(e, en->full_name);
    unsigned kept = emit_values(e, sorted, en->value_count);
    unsigned ranges = emit_ranges(e, sorted, kept);
    emit_names(e, en, sorted, kept);
    emit(
        e,
        "const ProtobufCEnumDescriptor $l__descriptor = {\n"
        "    .magic = PROTOBUF_C__ENUM_DESCRIPTOR_MAGIC,\n    .name = $q,\n    .short_name = $q,\n"
        "    .c_name = \"$T\",\n    .package_name = $q,\n    .n_values = $u,\n    .values = $l__values,\n",
        en->full_name, en->name, e->file->package, kept);
    emit(e,
         "    .n_value_names = $u,\n    .values_by_name = $l__values_by_name,\n"
         "    .n_value_ranges = $u,\n    .value_ranges = $l__value_ranges,\n};\n\n",
         en->value_count, ranges);
}
