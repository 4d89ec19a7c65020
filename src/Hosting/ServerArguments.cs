using System.Diagnostics.CodeAnalysis;
using GrayMQ.Settings;

namespace GrayMQ.Hosting;

/// <summary>The command line of a server that is started by itself: <c>-c FILE</c>, <c>--set KEY=VALUE</c>, <c>--print-config</c>.</summary>
public sealed class ServerArguments
{
    /// <summary>What the options mean, for help texts.</summary>
    public const string Usage = """
          -c FILE                    settings, in the words of RocketMQ's configuration files
          --set KEY=VALUE            one setting, before that of the file
          -n, --namesrv ADDR[;ADDR]  name servers (broker only)
          --print-config             show every setting and where its value comes from, and exit
        """;

    private ServerArguments()
    {
    }

    /// <summary>The environment, the file and the options, in the order in which they count.</summary>
    public SettingsSources Sources { get; } = new SettingsSources().Environment();

    /// <summary>The path given with -c.</summary>
    public string? File { get; private set; }

    public bool PrintConfig { get; private set; }

    public bool Help { get; private set; }

    /// <summary>Reads the arguments; false names the one that means nothing, or lacks its value.</summary>
    public static bool TryParse(
        IReadOnlyList<string> arguments, [NotNullWhen(true)] out ServerArguments? parsed, [NotNullWhen(false)] out string? problem)
    {
        parsed = new ServerArguments();
        problem = null;
        for (int i = 0; i < arguments.Count; i++)
        {
            string? value = i + 1 < arguments.Count ? arguments[i + 1] : null;
            switch (arguments[i])
            {
                case "-c" when value is not null:
                    parsed.Sources.File(parsed.File = value);
                    i++;
                    break;
                case "--set" when value is not null:
                    parsed.Sources.Set(value);
                    i++;
                    break;
                case "-n" or "--namesrv" when value is not null:
                    parsed.Sources.Option(arguments[i], "namesrvAddr", value);
                    i++;
                    break;
                case "--print-config":
                    parsed.PrintConfig = true;
                    break;
                case "-h" or "--help":
                    parsed.Help = true;
                    break;
                case "-c" or "--set" or "-n" or "--namesrv":
                    problem = $"{arguments[i]} needs a value";
                    parsed = null;
                    return false;
                default:
                    problem = $"unexpected argument: {arguments[i]}";
                    parsed = null;
                    return false;
            }
        }

        return true;
    }
}
