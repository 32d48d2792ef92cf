from .parts import Contents as Contents, Remark as Remark, Section as Section, Table as Table
from .phrases import (
    NONE as NONE,
    between as between,
    chance as chance,
    counted as counted,
    denominator as denominator,
    failure as failure,
    group_name as group_name,
    interval_name as interval_name,
    km as km,
    method as method,
    names as names,
    percent as percent,
    rows_of as rows_of,
    rule as rule,
    sentence as sentence,
    tally as tally,
    threshold as threshold,
    unanswered as unanswered,
)
from .shown import (
    FEW_ROWS as FEW_ROWS,
    broken_down_by as broken_down_by,
    country_names as country_names,
    main_threshold as main_threshold,
    shown_thresholds as shown_thresholds,
    worst_groups as worst_groups,
)
from .verdicts import of_many as of_many, of_pair as of_pair, of_result as of_result
