using System.Text;

namespace GrayMQ.Settings;

/// <summary>One thing wrong (or, as a warning, noteworthy) about what was given.</summary>
/// <param name="Key">The key concerned, as it was written; null where a file or an argument could not be read at all.</param>
/// <param name="Value">The value as given, null where there is none to name; secrets are masked already.</param>
/// <param name="Expectation">What is expected instead, or what happens now.</param>
/// <param name="Place">Where it was written.</param>
public sealed record SettingProblem(string? Key, string? Value, string Expectation, SettingPlace Place)
{
    /// <summary>Longer values are cut in messages, in characters.</summary>
    private const int MaxShownValue = 100;

    public override string ToString()
    {
        var text = new StringBuilder().Append(Place.ToString()).Append(": ");
        if (Key is not null)
        {
            AppendPrintable(text, Key);
            if (Value is not null)
            {
                AppendPrintable(text.Append('='), Value);
            }
            text.Append(": ");
        }
        return text.Append(Expectation).ToString();
    }

    private static void AppendPrintable(StringBuilder text, string value)
    {
        foreach (char c in value.AsSpan(0, Math.Min(value.Length, MaxShownValue)))
        {
            text.Append(char.IsControl(c) ? '\uFFFD' : c);
        }
        if (value.Length > MaxShownValue)
        {
            text.Append('…');
        }
    }
}
