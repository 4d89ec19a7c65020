using System.Net;

namespace GrayMQ.Gray;

/// <summary>Which side a client is on while a release of its group is open.</summary>
public static class ClientSides
{
    /// <summary>
    /// The stored side of the client, else what the rules say, else the flag of its heartbeat, else normal. Without an open release all
    /// are normal, whatever they say of themselves.
    /// </summary>
    /// <param name="flag">The <see cref="GrayMark.Property"/> of its last heartbeat; null when that had none.</param>
    public static Side Of(GrayRelease release, string clientId, IPAddress? address, bool? flag)
    {
        if (!release.IsOpen)
        {
            return Side.Normal;
        }

        if (release.Clients.TryGetValue(clientId, out Side stored))
        {
            return stored;
        }

        return release.Rules.Any(rule => rule.Matches(clientId, address)) || flag == true ? Side.Gray : Side.Normal;
    }

    /// <summary>The side of someone of whom only the address is known; null where the rules do not tell.</summary>
    public static Side? OfAddress(GrayRelease release, IPAddress? address) =>
        release.IsOpen && release.Rules.Any(rule => rule.Kind == GrayRuleKind.Address && rule.Matches(null, address))
            ? Side.Gray
            : null;
}
