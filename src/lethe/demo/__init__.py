"""A small believable world, and a walk through it that proves a deletion.

`world` makes it in one directory: `people` says who there is, `rows` what is known of them, `writing` puts the rows
into tables of every format as any user of the usual libraries would, `traces` fills the identity graph, the profiles
and the journeys, `furnishing` registers it all. `tour` then deletes some of the people through the public API and
checks everything by itself: `reading` reads the tables back, `searching` looks at the bytes of every file.

`lethe init-demo` makes the world, `lethe serve --demo` serves it, `lethe demo` does both and walks through.
"""
