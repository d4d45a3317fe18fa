/* `bcryptprimitives.dll` of Windows, of which Wine 8 has none, as far as Rust's standard
 * library uses it: random bytes, from the function that older Windows has them from. */
#include <windows.h>

BOOLEAN WINAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom, in advapi32 */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    for (; length > MAXDWORD; buffer += MAXDWORD, length -= MAXDWORD)
        if (!SystemFunction036(buffer, MAXDWORD))
            return FALSE;
    return SystemFunction036(buffer, (ULONG)length);
}
