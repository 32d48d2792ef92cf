from .listening import application as application, listen as listen
from .requests import RequestError as RequestError
