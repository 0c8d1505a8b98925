import { playHalf } from './seeds.js';

playHalf(1);
