from .app import (
    app as app,
    boundaries_app as boundaries_app,
    boundaries_build as boundaries_build,
    boundaries_list as boundaries_list,
    boundaries_verify as boundaries_verify,
    label as label,
    main as main,
    sql as sql,
)
