"""Every family that is converted, by the name of its class in config.json."""

from workers.converting.families import bert, deepseek, gemma, glm, glm5, llama, llama4, phi, qwen
from workers.converting.plan import Family

FAMILIES: dict[str, Family] = {
    **llama.FAMILIES,
    **bert.FAMILIES,
    **qwen.FAMILIES,
    **gemma.FAMILIES,
    **phi.FAMILIES,
    **deepseek.FAMILIES,
    **llama4.FAMILIES,
    **glm.FAMILIES,
    **glm5.FAMILIES,
}
