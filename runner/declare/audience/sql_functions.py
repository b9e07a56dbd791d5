"""The functions that a query may call. Every other function is refused, in every version of DuckDB.

A function is in this list only if its arguments alone decide its result. So the list has no function that reads a
clock, randomness, a file, a setting, the environment or the machine; none that depends on DuckDB's version (`hash`, or
estimates such as `approx_count_distinct`); and none that takes the name of a function or of a type as text
(`list_aggregate`, `from_json`).
Checked with DuckDB 1.3 and 2.0: https://duckdb.org/docs/stable/sql/functions/overview
"""

_OPERATORS = """
    + - * / // % ** ^ & | ~ << >> || !__postfix @ ^@ ~~ !~~ ~~* !~~* ~~~ <-> <=> <@ @> && -> ->>
    like_escape not_like_escape ilike_escape not_ilike_escape
    add subtract multiply divide mod fmod fdiv xor
"""
_NUMBERS = """
    abs acos acosh asin asinh atan atan2 atanh cbrt ceil ceiling cos cosh cot degrees even exp factorial floor gamma
    gcd greatest_common_divisor isfinite isinf isnan lcm least_common_multiple lgamma ln log log10 log2 nextafter pi
    pow power radians round round_even roundbankers sign signbit sin sinh sqrt tan tanh trunc bit_count
"""
_TEXTS = """
    array_to_string ascii bar base64 bin bit_length char_length character_length chr concat concat_ws contains
    damerau_levenshtein decode editdist3 encode ends_with format format_bytes formatreadabledecimalsize
    formatreadablesize from_base64 from_binary from_hex hamming hex instr jaccard jaro_similarity
    jaro_winkler_similarity lcase left left_grapheme len length length_grapheme levenshtein lower lpad ltrim md5
    mismatches nfc_normalize octet_length ord overlay parse_dirname parse_dirpath parse_filename parse_path
    pg_size_pretty position prefix printf regexp_escape regexp_extract regexp_extract_all regexp_full_match
    regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table repeat replace reverse right
    right_grapheme rpad rtrim sha1 sha256 split split_part starts_with str_split str_split_regex string_split
    string_split_regex string_to_array strip_accents strlen strpos substr substring substring_grapheme suffix to_base
    to_base64 to_binary to_hex translate trim ucase unbin unhex unicode upper url_decode url_encode
"""
_TIMES = """
    age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
    dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day
    make_date make_time make_timestamp make_timestamp_ns make_timestamptz microsecond millennium millisecond minute
    month monthname nanosecond normalized_interval quarter second strftime strptime time_bucket timezone timezone_hour
    timezone_minute to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes
    to_months to_quarters to_seconds to_timestamp to_weeks to_years try_strptime week weekday weekofyear year yearweek
"""
_LISTS = """
    apply array_append array_apply array_cat array_concat array_contains array_distinct array_extract array_filter
    array_has array_has_all array_has_any array_indexof array_intersect array_length array_pop_back array_pop_front
    array_position array_prepend array_push_back array_push_front array_reduce array_resize array_reverse
    array_reverse_sort array_select array_slice array_sort array_transform array_unique array_value array_where
    array_zip cardinality element_at filter flatten generate_series generate_subscripts grade_up list_any_value
    list_append list_apply list_avg list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat
    list_concat list_contains list_count list_distinct list_element list_extract list_filter list_first
    list_grade_up list_has list_has_all list_has_any list_histogram list_indexof list_intersect list_last list_max
    list_median list_min list_mode list_pack list_position list_prepend list_product list_reduce list_resize
    list_reverse list_reverse_sort list_select list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg
    list_sum list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip range reduce unnest
    map map_concat map_contains map_contains_entry map_contains_value map_entries map_extract map_extract_value
    map_from_entries map_keys map_values row struct_concat struct_extract struct_extract_at struct_insert struct_pack
    union_extract union_tag union_value
"""
_JSON = """
    array_to_json json json_array json_array_length json_contains json_exists json_extract json_extract_path
    json_extract_path_text json_extract_string json_group_array json_group_object json_keys json_merge_patch
    json_object json_pretty json_quote json_structure json_type json_valid json_value row_to_json to_json
"""
_CHOICES = """
    coalesce constant_or_null enum_code enum_first enum_last enum_range enum_range_boundary greatest if ifnull
    least nullif typeof
"""
_AGGREGATES = """
    any_value arbitrary arg_max arg_max_null arg_min arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor
    bool_and bool_or corr count count_if count_star countif covar_pop covar_samp entropy favg first fsum geomean
    geometric_mean group_concat histogram kahan_sum kurtosis kurtosis_pop last list listagg mad max max_by mean median
    min min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop stddev_samp string_agg sum sum_no_overflow
    sumkahan var_pop var_samp variance wavg weighted_avg
"""
_WINDOWS = """
    cume_dist dense_rank fill first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number
"""
ALLOWED_FUNCTIONS = frozenset(
    f"{_OPERATORS}{_NUMBERS}{_TEXTS}{_TIMES}{_LISTS}{_JSON}{_CHOICES}{_AGGREGATES}{_WINDOWS}".split()  # each ends in \n
)
# A time of day with a zone: converting it to another zone reads the clock, to know whether summer time applies there.
REFUSED_TYPES = frozenset({"time with time zone", "timetz", "time_tz"})
# Words without brackets that DuckDB takes for a function where no column has this name.
CLOCK_WORDS = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
    | {"current_localtime", "current_localtimestamp"}
)
