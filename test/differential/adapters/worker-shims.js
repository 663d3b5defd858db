// Evaluated before the function's own module, which registers with what is put up here.
import { shimBun, shimDeno } from './shims.js';

shimDeno();
shimBun();
