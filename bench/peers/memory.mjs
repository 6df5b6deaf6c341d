// Stock Socket.IO on Node; a duel lives in memory, and is lost at a restart.
import { serve } from "./serve.mjs";

const nothing = () => undefined;

serve({ created: nothing, joined: nothing, started: nothing, answered: nothing });
