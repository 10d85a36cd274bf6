//! `tiansheng`, the binary.

fn main() -> std::process::ExitCode {
    bot::commands::main()
}
