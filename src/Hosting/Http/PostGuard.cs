using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace GrayMQ.Hosting.Http;

/// <summary>
/// Who may change something by HTTP: whoever shows the token; without a token, whoever is on this machine, as long as nobody else can reach
/// the port. A page in somebody's browser is not: its requests name an origin.
/// </summary>
public sealed class PostGuard(string token, IPAddress listening)
{
    private const string Scheme = "Bearer ";

    private readonly byte[] _digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Why a request is refused; null when it may go on.</summary>
    public HttpPage? Refuse(HttpRequest request)
    {
        if (request.Headers.Origin.Count > 0)
        {
            return HttpPage.Text(StatusCodes.Status403Forbidden, "not from a browser");
        }

        if (token.Length == 0)
        {
            return IPAddress.IsLoopback(listening)
                ? null
                : HttpPage.Text(StatusCodes.Status403Forbidden, "httpAddress is not loopback: set httpToken, and show it");
        }

        string shown = request.Headers.Authorization.ToString();
        return shown.StartsWith(Scheme, StringComparison.Ordinal)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(shown[Scheme.Length..])), _digest)
                ? null
                : HttpPage.Text(StatusCodes.Status401Unauthorized, "Authorization: Bearer TOKEN is needed");
    }
}
