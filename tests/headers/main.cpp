// The other sources of this program are generated, one per header. That it links is the test.
int main() {}
