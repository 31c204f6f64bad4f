// Plays main at the top level of an ECMAScript module (`--mode esm`).

import player from './player.cjs';

player.play_main();
