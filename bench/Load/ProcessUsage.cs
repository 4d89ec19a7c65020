using System.Globalization;

namespace GrayMQ.Load;

/// <summary>What a process has used so far, read from <c>/proc</c>.</summary>
/// <param name="CpuMs">User and system time, milliseconds.</param>
/// <param name="AnonymousBytes">Resident memory that no file stands behind.</param>
/// <param name="ResidentBytes">Resident memory, mapped files included.</param>
internal readonly record struct ProcessUsage(double CpuMs, long AnonymousBytes, long ResidentBytes)
{
    private const double MsPerTick = 10; // USER_HZ is 100 on every Linux that .NET runs on
    private const int UserTimeField = 11; // counted behind the command's closing parenthesis
    private const int SystemTimeField = 12;

    public static ProcessUsage Read(int processId)
    {
        string stat = File.ReadAllText($"/proc/{processId}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        double ticks = double.Parse(fields[UserTimeField], CultureInfo.InvariantCulture)
            + double.Parse(fields[SystemTimeField], CultureInfo.InvariantCulture);
        string[] status = File.ReadAllLines($"/proc/{processId}/status");
        return new ProcessUsage(ticks * MsPerTick, StatusBytes(status, "RssAnon:"), StatusBytes(status, "VmRSS:"));
    }

    /// <summary>The process that listens on a port of this machine; null when there is none to be seen.</summary>
    public static int? FindListener(int port)
    {
        string suffix = ":" + port.ToString("X4", CultureInfo.InvariantCulture);
        var inodes = new HashSet<string>();
        foreach (string table in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
        {
            foreach (string line in File.ReadLines(table).Skip(1))
            {
                string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (fields[1].EndsWith(suffix, StringComparison.Ordinal) && fields[3] == "0A")
                {
                    inodes.Add($"socket:[{fields[9]}]");
                }
            }
        }

        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out int id) && Holds(directory, inodes))
            {
                return id;
            }
        }

        return null;
    }

    private static bool Holds(string directory, HashSet<string> inodes)
    {
        try
        {
            return Directory.GetFiles(Path.Combine(directory, "fd"))
                .Any(file => new FileInfo(file).LinkTarget is { } target && inodes.Contains(target));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // gone, or somebody else's
        }
    }

    private static long StatusBytes(string[] status, string name)
    {
        string line = Array.Find(status, line => line.StartsWith(name, StringComparison.Ordinal)) ?? $"{name} 0 kB";
        return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
    }
}
