using System.Net;

namespace GrayMQ.Gray;

/// <summary>What a rule looks at. Names are in JSON.</summary>
public enum GrayRuleKind
{
    /// <summary>The client id, against a pattern in which <c>*</c> stands for any characters and <c>?</c> for one.</summary>
    ClientId = 0,

    /// <summary>The client's address, against one address or a network such as <c>10.1.0.0/16</c>.</summary>
    Address = 1,
}

/// <summary>Says of which clients a release is: who matches is gray.</summary>
public sealed record GrayRule
{
    public required GrayRuleKind Kind { get; init; }

    public required string Pattern { get; init; }

    /// <summary>Why this is no rule; null when it is one.</summary>
    public string? Problem() =>
        Pattern.Length is 0 or > GrayLimits.MaxPatternLength ? $"a rule's pattern has {Pattern.Length} characters: expected 1 to {GrayLimits.MaxPatternLength}"
        : !Enum.IsDefined(Kind) ? $"a rule is of the unknown kind {(int)Kind}"
        : Kind == GrayRuleKind.Address && !TryNetwork(out _) ? $"\"{Pattern}\" is neither an address nor a network such as 10.1.0.0/16"
        : null;

    public bool Matches(string? clientId, IPAddress? address) => Kind switch
    {
        GrayRuleKind.ClientId => clientId is not null && GlobMatches(Pattern, clientId),
        GrayRuleKind.Address => address is not null && TryNetwork(out IPNetwork network) && network.Contains(Plain(address)),
        _ => false,
    };

    // An IPv4 client of a socket that takes both looks like ::ffff:10.1.2.3.
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private bool TryNetwork(out IPNetwork network)
    {
        int slash = Pattern.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? Pattern : Pattern[..slash], out IPAddress? address))
        {
            network = default;
            return false;
        }

        address = Plain(address);
        int bits = address.GetAddressBytes().Length * 8;
        if (slash < 0)
        {
            network = new IPNetwork(address, bits);
            return true;
        }

        network = default;
        if (!int.TryParse(Pattern.AsSpan(slash + 1), out int length) || length < 0 || length > bits)
        {
            return false;
        }

        // Bits beyond the prefix are left out, so that 10.1.2.3/16 is what it is meant to be.
        byte[] bytes = address.GetAddressBytes();
        for (int bit = length; bit < bits; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }

    // In a time that is proportional to both lengths, whatever the pattern.
    private static bool GlobMatches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0;
        int t = 0;
        int star = -1;
        int starText = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                starText = t;
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[t]))
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++starText;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].TrimStart('*').IsEmpty;
    }
}
