using System.Globalization;

namespace GrayMQ.Gray;

/// <summary>
/// Which state of gray this is. Versions of one epoch only grow; a database that was restored or made anew is another epoch, and of two
/// epochs neither is the newer one: whoever asks takes what the name server has.
/// </summary>
/// <param name="Epoch">A random id made with the database; empty for no state at all.</param>
/// <param name="Version">How many changes were made.</param>
public readonly record struct GrayVersion(string Epoch, long Version)
{
    private const int MaxEpochLength = 64;

    /// <summary>Of someone who knows nothing yet.</summary>
    public static GrayVersion None { get; } = new("", 0);

    public bool IsNone => string.IsNullOrEmpty(Epoch);

    /// <summary>Whether someone who acts on <paramref name="other"/> has to go over to this one.</summary>
    public bool Supersedes(GrayVersion other) => !IsNone && (Epoch != other.Epoch || Version > other.Version);

    /// <summary>Whether someone who acts on this acts on <paramref name="other"/>, too, or on what came after it.</summary>
    public bool Includes(GrayVersion other) => other.IsNone || (Epoch == other.Epoch && Version >= other.Version);

    /// <summary>As <see cref="TryParse"/> reads it: <c>epoch:version</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}:{Version}");

    public static bool TryParse(string? text, out GrayVersion version)
    {
        version = None;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (colon < 0
            || colon > MaxEpochLength
            || !long.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return false;
        }

        version = new GrayVersion(text![..colon], number);
        return true;
    }
}
