@echo off
rem Group Policy: Computer Configuration, Windows Settings, Scripts, Startup. It runs as the system
rem account. Put this file, kiemke-agent.msi and enrolment.txt (the token) into one shared folder that
rem computers may read; what is installed already is left alone, what is older is replaced.
set SOURCE=%~dp0
set VERSION=@VERSION@
set INSTALLED=
for /f "tokens=3" %%v in ('reg query HKLM\SOFTWARE\kiemke\agent /v Version 2^>nul') do set INSTALLED=%%v
if "%INSTALLED%"=="%VERSION%" exit /b 0
copy /y "%SOURCE%kiemke-agent.msi" "%TEMP%\kiemke-agent.msi" >nul
if errorlevel 1 exit /b 1
rem Without an enrolment file a PC that is enrolled already is renewed all the same.
set TOKENFILE=
if exist "%SOURCE%enrolment.txt" set "TOKENFILE=%TEMP%\kiemke-enrolment.txt"
if defined TOKENFILE copy /y "%SOURCE%enrolment.txt" "%TOKENFILE%" >nul
msiexec /i "%TEMP%\kiemke-agent.msi" /qn /norestart TOKENFILE="%TOKENFILE%"
set RESULT=%ERRORLEVEL%
del "%TEMP%\kiemke-agent.msi" "%TEMP%\kiemke-enrolment.txt" 2>nul
exit /b %RESULT%
