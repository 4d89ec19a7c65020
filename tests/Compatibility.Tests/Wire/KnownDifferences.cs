using System.Globalization;
using System.Text.RegularExpressions;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// Every way in which an answer may differ from RocketMQ's in the replayed recordings, with its reason. Each entry names the request,
/// the field and both values, and must be met by the recordings it names: an entry that no longer holds fails the test.
/// docs/COMPATIBILITY.md tells the same to users.
/// </summary>
internal static partial class KnownDifferences
{
    /// <param name="Recordings">Names of recordings; empty means every one.</param>
    /// <param name="RequestCode">Code of the request that is answered; null means every one.</param>
    /// <param name="Field">The whole field, as a regular expression.</param>
    /// <param name="Expected">What RocketMQ answered, as a regular expression over the whole value; "(nothing)" where the field is not there.</param>
    /// <param name="Actual">What this broker answers, likewise.</param>
    /// <param name="Reason">Why that is right, or good enough.</param>
    private sealed record Entry(
        string[] Recordings, int? RequestCode, string Field, string Expected, string Actual, string Reason)
    {
        public bool Explains(Mismatch mismatch) =>
            (RequestCode is null || RequestCode == mismatch.RequestCode)
            && Matches(Field, mismatch.Field)
            && Matches(Expected, mismatch.Expected)
            && Matches(Actual, mismatch.Actual);

        private static bool Matches(string pattern, string? value) =>
            Regex.IsMatch(value ?? "(nothing)", $"^(?:{(pattern == "(nothing)" ? Regex.Escape(pattern) : pattern)})$", RegexOptions.Singleline);
    }

    /// <summary>Every reason in the table.</summary>
    public static IEnumerable<string> Reasons => Table.Select(entry => entry.Reason).Distinct();

    /// <summary>Fails with every mismatch that the table does not explain, and with every entry that the recording does not need.</summary>
    public static void Check(string recording, IReadOnlyList<Mismatch> mismatches)
    {
        Entry[] entries = [.. Table.Where(entry => entry.Recordings.Length == 0 || entry.Recordings.Contains(recording))];
        Mismatch[] unexplained = [.. mismatches.Where(mismatch => !entries.Any(entry => entry.Explains(mismatch)))];
        Entry[] unneeded = [.. entries.Where(entry => !mismatches.Any(entry.Explains))];
        Assert.True(
            unexplained.Length == 0 && unneeded.Length == 0,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{recording}: {unexplained.Length} of {mismatches.Count} mismatches are not in the table:\n  {string.Join("\n  ", unexplained.Select(mismatch => mismatch.ToString()))}\n")
            + $"entries that nothing matches:\n  {string.Join("\n  ", unneeded.Select(entry => entry.ToString()))}");
    }
}
