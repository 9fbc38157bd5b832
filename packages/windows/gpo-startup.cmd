@echo off
rem Group Policy: Computer Configuration, Windows Settings, Scripts, Startup. It runs as the system
rem account. Put this file, kiemke-agent.msi and enrolment.txt (the token) into one shared folder that
rem computers may read; what is installed already is left alone, what is older is replaced.
set SOURCE=%~dp0
set VERSION=@VERSION@
reg query "HKLM\SOFTWARE\kiemke\agent" /v Version 2>nul | find "%VERSION%" >nul && exit /b 0
copy /y "%SOURCE%kiemke-agent.msi" "%TEMP%\kiemke-agent.msi" >nul || exit /b 1
copy /y "%SOURCE%enrolment.txt" "%TEMP%\kiemke-enrolment.txt" >nul 2>nul
msiexec /i "%TEMP%\kiemke-agent.msi" /qn /norestart TOKENFILE="%TEMP%\kiemke-enrolment.txt"
set RESULT=%ERRORLEVEL%
del "%TEMP%\kiemke-agent.msi" "%TEMP%\kiemke-enrolment.txt" 2>nul
exit /b %RESULT%
