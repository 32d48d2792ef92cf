from .refusals import LANGUAGES as LANGUAGES, declines as declines, is_refusal as is_refusal
